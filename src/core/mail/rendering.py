"""From a letter to a message."""

from django.core.mail import EmailMessage, EmailMultiAlternatives

from core.mail.letters import Letter
from core.mail.models import Mail


def message_of(mail: Mail, letter: Letter) -> EmailMessage:
    """The message for a mail of the ledger; the same mail always has the same Message-ID."""
    body = "\n\n".join([f"Hello {letter.reader},", *letter.paragraphs, "Peer Learning"]) + "\n"
    return EmailMultiAlternatives(letter.subject, body, to=[letter.to or mail.address])
