"""What arrives at a mail server: one letter in two forms, and what mail servers and clients go by."""

from email.message import EmailMessage

import pytest
from tests.core.conftest import NOW
from tests.core.mail.conftest import MailServer

from core.accounts.models import User
from core.mail.letters import WRITERS, Attachment, Letter, Link
from core.mail.models import Mail
from core.mail.sending import send_due_mail
from core.mail.services import queue_mail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

CALENDAR = "BEGIN:VCALENDAR\r\nSUMMARY:Knots für alle\r\nEND:VCALENDAR\r\n".encode()

LETTER = Letter(
    subject="Knots That Hold: a new time",
    reader="John Doe",
    paragraphs=("Knots That Hold has been moved.", "See you there."),
    details=(("When", "Saturday, 4 May 2030 at 18:00 (Europe/Berlin)"), ("With", "Jürgen")),
    link=Link(label="Look at the session", url="http://localhost:3000/sessions/7?from=mail&by=jane"),
    small_print=("You get this because you take part.",),
    unsubscribe_url="http://localhost:8000/unsubscribe/abc/",
    attachments=(
        Attachment(name="session.ics", content=CALENDAR, mime_type="text/calendar; method=REQUEST; charset=utf-8"),
    ),
)


def arrived(server: MailServer, letter: Letter, monkeypatch: pytest.MonkeyPatch, user: User) -> EmailMessage:
    """What the server gets of such a letter."""
    monkeypatch.setitem(WRITERS, "test", lambda mail: letter)
    queue_mail(kind="test", address=user.email, user=user)
    send_due_mail()
    return server.received[-1]


@pytest.fixture
def message(server: MailServer, john: User, monkeypatch: pytest.MonkeyPatch) -> EmailMessage:
    """The letter above."""
    return arrived(server, LETTER, monkeypatch, john)


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_the_headers_are_those_of_a_machine_s_mail(message: EmailMessage) -> None:
    mail = Mail.objects.get()

    assert message["Subject"] == "Knots That Hold: a new time"
    assert message["From"] == "Peer Learning <noreply@localhost>"
    assert message["To"] == "john@example.com"
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<{mail.pk}.20240113110000000000@localhost>"
    assert message["List-Unsubscribe"] == "<http://localhost:8000/unsubscribe/abc/>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_text_says_it_all(message: EmailMessage) -> None:
    assert body(message, "plain") == (
        "Hello John Doe,\n"
        "\n"
        "Knots That Hold has been moved.\n"
        "\n"
        "See you there.\n"
        "\n"
        "When: Saturday, 4 May 2030 at 18:00 (Europe/Berlin)\n"
        "With: Jürgen\n"
        "\n"
        "Look at the session: http://localhost:3000/sessions/7?from=mail&by=jane\n"
        "\n"
        "Peer Learning\n"
        "\n"
        "You get this because you take part.\n"
        "\n"
        "No more of these by mail: http://localhost:8000/unsubscribe/abc/\n"
    )


def test_the_attachment_arrives_to_the_byte_with_what_its_type_says(message: EmailMessage) -> None:
    (part,) = message.iter_attachments()
    assert isinstance(part, EmailMessage)

    assert part.get_payload(decode=True) == CALENDAR
    assert part.get_content_type() == "text/calendar"
    assert dict(part["Content-Type"].params) == {"method": "REQUEST", "charset": "utf-8"}
    assert part["Content-Disposition"].content_disposition == "attachment"
    assert part.get_filename() == "session.ics"
