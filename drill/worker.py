"""A worker as in production, except that its scheduler keeps up with the accelerated clock."""

from django.core.management import call_command
from huey.consumer import Scheduler


def work() -> None:
    """Run the consumer until it is killed."""
    # At least once per minute of the product's clock; more often is harmless, since jobs claim their intervals.
    Scheduler.periodic_task_seconds = 1
    call_command("run_huey")
