"""Helpers that queue and reload mails."""

from datetime import timedelta

from core.accounts.models import User
from core.mail.models import Mail
from core.mail.services import enqueue_mail

MINUTE = timedelta(minutes=1)


def reload_mail(mail: Mail) -> Mail:
    mail.refresh_from_db()
    return mail


def queue_welcome_mails(*users: User) -> None:
    for user in users:
        enqueue_mail(kind="welcome", address=user.email, user=user)
