"""The periodic jobs and tasks of core."""

from datetime import time

from core.accounts.services import delete_old_logins
from core.facts.delivery import retry_failed_deliveries
from core.jobs.periodic import periodic_job
from core.mail.sending import send_due_mail, wake_sender
from core.mail.services import delete_old_mail


@periodic_job()
def send_mail_that_is_due() -> int:
    return send_due_mail()


@periodic_job()
def serve_receivers_again() -> int:
    return retry_failed_deliveries()


@periodic_job(at=time(3, 17))
def forget_mail_that_is_done() -> int:
    return delete_old_mail()


@periodic_job(at=time(3, 23))
def forget_logins_that_are_over() -> int:
    return delete_old_logins()


# Defined in the module that enqueues it, and imported here, where the worker discovers tasks.
__all__ = ["wake_sender"]
