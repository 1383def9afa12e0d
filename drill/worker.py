"""A worker as the product runs it, but for a schedule that keeps up with the clock."""

from django.core.management import call_command
from huey.consumer import Scheduler


def work() -> None:
    """Run the consumer until it is killed."""
    # Each minute of the product's, and rather more often: whose turn it is, the sweeps say themselves.
    Scheduler.periodic_task_seconds = 1
    call_command("run_huey")
