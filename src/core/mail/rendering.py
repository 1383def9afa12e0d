"""Rendering a letter as a message."""

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

# In characters: members' titles can be long, and a subject is read in a list.
MAX_SUBJECT_LENGTH = 250

# Invisible characters with an effect: control characters, marks of text direction, and lone surrogates, which no mail
# can carry.
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

# Quoted-printable is 7-bit: no relay has to convert it, which would break its signature.
_QUOTED_PRINTABLE = charset.Charset("utf-8")
_QUOTED_PRINTABLE.body_encoding = charset.QP


def build_message(mail: Mail, letter: Letter) -> EmailMultiAlternatives:
    """Build the message for a mail, as text and HTML; the same mail always has the same Message-ID."""
    letter = _sanitize_letter(letter)
    context = {"letter": letter, "language": settings.LANGUAGE_CODE}
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=render_to_string("mail/letter.txt", context),
        to=[letter.to or mail.address],
        headers=_build_headers(mail, letter),
    )
    message.encoding = _QUOTED_PRINTABLE
    message.attach_alternative(render_to_string("mail/letter.html", context), "text/html")
    for attachment in letter.attachments:
        message.attach(_build_attachment_part(attachment))
    return message


def build_message_id(mail: Mail) -> str:
    """Build the Message-ID, by which servers and clients recognize a second copy of the mail."""
    sender = normalize_address_if_valid(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
    domain = sender.partition("@")[2] or "localhost"
    return f"<{mail.pk}.{mail.queued_at:%Y%m%d%H%M%S%f}@{domain}>"


def _build_headers(mail: Mail, letter: Letter) -> dict[str, str]:
    headers = {
        "Message-ID": build_message_id(mail),
        "Date": format_datetime(clock.now()),
        "Auto-Submitted": "auto-generated",
    }
    if letter.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _build_attachment_part(attachment: Attachment) -> MIMEBase:
    """Attach in base64, which keeps every byte; Django would re-encode text and lose the parameters of the type."""
    kind = Message()
    kind["Content-Type"] = attachment.mime_type
    part = MIMEBase(kind.get_content_maintype(), kind.get_content_subtype())
    for name, value in kind.get_params(failobj=[])[1:]:
        part.set_param(name, value)
    part.set_payload(attachment.content)
    encoders.encode_base64(part)
    name = _clean_line(attachment.name)
    part.add_header("Content-Disposition", "attachment", filename=name if name.isascii() else ("utf-8", "", name))
    return part


def _sanitize_letter(letter: Letter) -> Letter:
    """Remove what could break or disguise a header or a line, since names and titles are members' input."""
    # Text that looks like an encoded word (RFC 2047) would be decoded, and bring in again what is removed here.
    subject = _clean_line(letter.subject).replace("=?", "=\u200b?")
    if len(subject) > MAX_SUBJECT_LENGTH:
        subject = f"{subject[: MAX_SUBJECT_LENGTH - 1]}…"
    link = letter.link
    return replace(
        letter,
        subject=subject,
        reader=_clean_line(letter.reader),
        paragraphs=tuple(_clean_text(paragraph) for paragraph in letter.paragraphs),
        details=tuple((_clean_line(name), _clean_line(value)) for name, value in letter.details),
        link=Link(label=_clean_line(link.label), url=_clean_line(link.url)) if link else None,
        small_print=tuple(_clean_text(line) for line in letter.small_print),
        unsubscribe_url=_clean_line(letter.unsubscribe_url),
    )


def _clean_text(text: str) -> str:
    return "\n".join(_INVISIBLE.sub("", line) for line in text.splitlines())


def _clean_line(text: str) -> str:
    return _INVISIBLE.sub("", " ".join(text.split()))
