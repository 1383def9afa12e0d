"""From a letter to a message."""

import re
from dataclasses import replace
from email import charset, encoders
from email.message import Message
from email.mime.base import MIMEBase
from email.utils import format_datetime, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from core.mail.letters import Attachment, Letter, Link
from core.mail.models import Mail
from core.text.email_addresses import normalize_address_if_valid
from core.time import clock

# What people type can be long, and a subject is read in a list.
LONGEST_SUBJECT = 250

# What is not to be seen and yet does something: control characters, what turns the direction of text around, and
# halves of characters, which no mail can carry.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

# Seven bits on the wire: no relay has to write it anew, which would break its signature.
_SEVEN_BITS = charset.Charset("utf-8")
_SEVEN_BITS.body_encoding = charset.QP


def message_of(mail: Mail, letter: Letter) -> EmailMultiAlternatives:
    """The message for a mail of the ledger, as text and as HTML; the same mail always has the same Message-ID."""
    letter = _harmless(letter)
    context = {"letter": letter, "language": settings.LANGUAGE_CODE}
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=render_to_string("mail/letter.txt", context),
        to=[letter.to or mail.address],
        headers=_headers(mail, letter),
    )
    message.encoding = _SEVEN_BITS
    message.attach_alternative(render_to_string("mail/letter.html", context), "text/html")
    for attachment in letter.attachments:
        message.attach(_part(attachment))
    return message


def message_id(mail: Mail) -> str:
    """By which mail servers and clients know it, and know that a second copy is one."""
    sender = normalize_address_if_valid(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
    domain = sender.partition("@")[2] or "localhost"
    return f"<{mail.pk}.{mail.queued_at:%Y%m%d%H%M%S%f}@{domain}>"


def _headers(mail: Mail, letter: Letter) -> dict[str, str]:
    headers = {
        "Message-ID": message_id(mail),
        "Date": format_datetime(clock.now()),
        "Auto-Submitted": "auto-generated",
    }
    if letter.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _part(attachment: Attachment) -> MIMEBase:
    """Base64 keeps it as it is to the byte; Django's own way would write text anew and lose the parameters."""
    kind = Message()
    kind["Content-Type"] = attachment.mime_type
    part = MIMEBase(kind.get_content_maintype(), kind.get_content_subtype())
    for name, value in kind.get_params(failobj=[])[1:]:
        part.set_param(name, value)
    part.set_payload(attachment.content)
    encoders.encode_base64(part)
    name = _one_line(attachment.name)
    part.add_header("Content-Disposition", "attachment", filename=name if name.isascii() else ("utf-8", "", name))
    return part


def _harmless(letter: Letter) -> Letter:
    """The letter without what could tear a line apart or make it read as something else: names are members' own."""
    # Letters that look as if they were encoded would be decoded, and so bring in what is kept out here.
    subject = _one_line(letter.subject).replace("=?", "=\u200b?")
    if len(subject) > LONGEST_SUBJECT:
        subject = f"{subject[: LONGEST_SUBJECT - 1]}…"
    link = letter.link
    return replace(
        letter,
        subject=subject,
        reader=_one_line(letter.reader),
        paragraphs=tuple(_text(paragraph) for paragraph in letter.paragraphs),
        details=tuple((_one_line(name), _one_line(value)) for name, value in letter.details),
        link=Link(label=_one_line(link.label), url=_one_line(link.url)) if link else None,
        small_print=tuple(_text(line) for line in letter.small_print),
        unsubscribe_url=_one_line(letter.unsubscribe_url),
    )


def _text(text: str) -> str:
    return "\n".join(_UNSEEN.sub("", line) for line in text.splitlines())


def _one_line(text: str) -> str:
    return _UNSEEN.sub("", " ".join(text.split()))
