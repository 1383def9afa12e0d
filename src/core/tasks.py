"""What core does in the background. The rows are the truth; a task is only a wake-up."""

from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from core.accounts.services import forget_old_logins
from core.facts.delivery import deliver_again
from core.mail.services import forget_old_mail, send_due_mail, send_mail


@db_periodic_task(crontab(minute="*"))
def send_mail_that_is_due() -> None:
    send_due_mail()


@db_periodic_task(crontab(minute="*"))
def serve_receivers_again() -> None:
    deliver_again()


@db_periodic_task(crontab(minute="17", hour="3"))
def forget_mail_that_is_done() -> None:
    forget_old_mail()


@db_periodic_task(crontab(minute="23", hour="3"))
def forget_logins_that_are_over() -> None:
    forget_old_logins()


# Made where it is enqueued, and named here, where the worker looks for tasks.
__all__ = ["send_mail"]
