"""The message that a mail server receives: headers, text, HTML and attachments."""

from dataclasses import replace
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from pytest_django import Settings
from tests.core.conftest import NOW
from tests.mail_server import MailServer

from core.accounts.models import User
from core.mail.letters import LETTER_WRITERS, Attachment, Letter, Link
from core.mail.models import Mail
from core.mail.sending import send_due_mail
from core.mail.services import enqueue_mail

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


def send_and_receive(server: MailServer, letter: Letter, monkeypatch: pytest.MonkeyPatch, user: User) -> EmailMessage:
    """The message that the server receives for such a letter."""
    monkeypatch.setitem(LETTER_WRITERS, "test", lambda mail: letter)
    enqueue_mail(kind="test", address=user.email, user=user)
    send_due_mail()
    return server.received[-1]


@pytest.fixture
def message(server: MailServer, john: User, monkeypatch: pytest.MonkeyPatch) -> EmailMessage:
    """The message of the letter above."""
    return send_and_receive(server, LETTER, monkeypatch, john)


def get_body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_the_headers_mark_the_mail_as_automatic(message: EmailMessage) -> None:
    mail = Mail.objects.get()

    assert message["Subject"] == "Knots That Hold: a new time"
    assert message["From"] == "Peer Learning <noreply@localhost>"
    assert message["To"] == "john@example.com"
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<{mail.pk}.20240113110000000000@localhost>"
    assert message["List-Unsubscribe"] == "<http://localhost:8000/unsubscribe/abc/>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_text_part_has_all_content(message: EmailMessage) -> None:
    assert get_body(message, "plain") == (
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


def test_an_attachment_keeps_its_bytes_and_type_parameters(message: EmailMessage) -> None:
    (part,) = message.iter_attachments()
    assert isinstance(part, EmailMessage)

    assert part.get_payload(decode=True) == CALENDAR
    assert part.get_content_type() == "text/calendar"
    assert dict(part["Content-Type"].params) == {"method": "REQUEST", "charset": "utf-8"}
    assert part["Content-Disposition"].content_disposition == "attachment"
    assert part.get_filename() == "session.ics"


def test_an_attachment_may_have_any_name(server: MailServer, john: User, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytes(range(256))
    names = ("Übung.bin", 'a"b;c\r\nX-Evil: yes.bin', "x" * 300)
    letter = replace(
        LETTER,
        attachments=tuple(
            Attachment(name=name, content=content, mime_type="application/octet-stream") for name in names
        ),
    )

    message = send_and_receive(server, letter, monkeypatch, john)

    parts = list(message.iter_attachments())
    assert [part.get_filename() for part in parts] == ["Übung.bin", 'a"b;c X-Evil: yes.bin', "x" * 300]
    assert [part.get_payload(decode=True) for part in parts] == [content] * 3
    assert all(part["X-Evil"] is None for part in parts)


@pytest.mark.parametrize("text", ["ä", "ä" * 5000, "a" * 5000], ids=["short", "long", "ASCII"])
def test_all_lines_are_short_and_7_bit(
    server: MailServer, john: User, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """So that no relay has to re-encode it."""
    raw: list[bytes] = []
    take = server.handle_DATA

    async def look(smtp: Any, session: Any, envelope: Any) -> str:
        raw.append(envelope.original_content)
        return await take(smtp, session, envelope)

    monkeypatch.setattr(server, "handle_DATA", look)

    message = send_and_receive(server, replace(LETTER, paragraphs=(text,)), monkeypatch, john)

    assert raw[0].isascii()
    assert max(len(line) for line in raw[0].split(b"\r\n")) < 200
    assert b"\n" not in raw[0].replace(b"\r\n", b"")
    assert text in get_body(message, "plain")
    assert text in get_body(message, "html")


# --- HTML ---------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Collects the elements and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements[-1:] != [] and self.elements[-1][0] != "style":
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_the_html_part_has_the_same_content_as_the_text(message: EmailMessage) -> None:
    page = Page(get_body(message, "html"))

    words = " ".join(page.text.split())
    for sentence in (
        "Hello John Doe,",
        "Knots That Hold has been moved.",
        "See you there.",
        "When Saturday, 4 May 2030 at 18:00 (Europe/Berlin)",
        "With Jürgen",
        "Look at the session",
        "http://localhost:3000/sessions/7?from=mail&by=jane",
        "Peer Learning",
        "You get this because you take part.",
        "No more of these by mail",
    ):
        assert sentence in words
    assert [link["href"] for link in page.all("a")] == [
        "http://localhost:3000/sessions/7?from=mail&by=jane",
        "http://localhost:8000/unsubscribe/abc/",
    ]


def test_the_html_part_has_language_title_viewport_and_colour_scheme(message: EmailMessage) -> None:
    html = get_body(message, "html")
    page = Page(html)

    assert page.all("html") == [{"lang": "en"}]
    assert "<title>Knots That Hold: a new time</title>" in html
    metas = {meta["name"]: meta["content"] for meta in page.all("meta") if "name" in meta}
    assert metas["viewport"] == "width=device-width, initial-scale=1"
    assert metas["color-scheme"] == "light dark"
    # No fixed width exceeds that of a phone.
    widths = {attributes["width"] for _, attributes in page.elements if "width" in attributes}
    assert widths <= {"100%", "30%"}


def test_the_html_part_loads_no_resources(message: EmailMessage) -> None:
    """No tracking."""
    html = get_body(message, "html")
    page = Page(html)

    tags = {tag for tag, _ in page.elements}
    assert tags.isdisjoint({"img", "link", "script", "iframe", "object", "embed", "video", "audio", "form", "svg"})
    assert not {"src", "srcset", "background", "poster"} & {name for _, each in page.elements for name in each}
    assert "url(" not in html
    assert "@import" not in html


def test_a_letter_without_optional_parts_has_no_empty_elements(
    server: MailServer, john: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = send_and_receive(server, Letter(subject="Hi", reader="John", paragraphs=("Hi.",)), monkeypatch, john)

    assert get_body(message, "plain") == "Hello John,\n\nHi.\n\nPeer Learning\n"
    page = Page(get_body(message, "html"))
    assert page.all("a") == page.all("th") == []
    assert list(message.iter_attachments()) == []
    assert message["List-Unsubscribe"] is message["List-Unsubscribe-Post"] is None


# --- Members' input -----------------------------------------------------------------------------------------------

# The elements of our template, and line breaks.
OURS = {"html", "head", "meta", "title", "style", "body", "table", "tr", "td", "th", "p", "bdi", "a", "br"}

HOSTILE = {
    "markup": "<script>alert(1)</script></title></td></table><img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" \'',
    "entities": "&lt;b&gt; &amp; &#0;",
    "template": "{{ letter.link.url }}{% include 'x' %}",
    "header": "a\r\nBcc: victim@example.com\r\n\r\nHello",
    "line separators": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "direction": "a\u202egnp.exe\u202c\u2066b\u2069",
    "control characters": "a\x00b\x07c\x1b[31md\x7f",
    "half a character": "a\ud800b",
    "emoji": "👩‍👩‍👧‍👦" * 50,
    "long": "x" * 5000,
    "dots": "\n.\n.\r\n.\r\nQUIT",
    "empty": "",
}


HEADERS = {
    "Content-Type",
    "MIME-Version",
    "Subject",
    "From",
    "To",
    "Message-ID",
    "Date",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
}
PARTS = ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar"]


def build_letter_with(value: str) -> Letter:
    """Put a value into every field of a letter."""
    return Letter(
        subject=value,
        reader=value,
        paragraphs=(value,),
        details=((value, value),),
        link=Link(label=value, url=f"http://localhost:3000/?q={value}"),
        small_print=(value,),
        unsubscribe_url=f"http://localhost:8000/?q={value[:200]}",
        attachments=LETTER.attachments,
    )


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_cannot_break_a_mail(
    server: MailServer, john: User, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    message = send_and_receive(server, build_letter_with(value), monkeypatch, john)

    assert server.list_recipients() == ["john@example.com"]
    assert message.defects == []
    assert set(message.keys()) == HEADERS
    assert len(message["Subject"].strip()) <= 250
    assert len(str(message["Subject"]).splitlines()) <= 1
    assert [part.get_content_type() for part in message.walk()] == PARTS
    text, html = get_body(message, "plain"), get_body(message, "html")
    assert not set("\x00\x07\x1b\x7f\u202e\u202c\u2066\u2069") & set(f"{message['Subject']}{text}{html}")
    assert {tag for tag, _ in Page(html).elements} <= OURS
    assert not [name for _, attributes in Page(html).elements for name in attributes if name.startswith("on")]


def test_a_reason_keeps_its_line_breaks_and_a_name_does_not(
    server: MailServer, john: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = Letter(subject="a\nb", reader="John\nDoe", paragraphs=("First.\r\nSecond.\rThird.",))

    message = send_and_receive(server, letter, monkeypatch, john)

    assert message["Subject"] == "a b"
    assert get_body(message, "plain") == "Hello John Doe,\n\nFirst.\nSecond.\nThird.\n\nPeer Learning\n"
    assert "First.<br>Second.<br>Third." in get_body(message, "html")


def test_the_html_part_is_escaped_and_the_text_part_is_not(
    server: MailServer, john: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = Letter(subject="<b> & 'q'", reader="J", paragraphs=("<b> & 'q' https://example.com/",))

    message = send_and_receive(server, letter, monkeypatch, john)

    assert "<b> & 'q' https://example.com/" in get_body(message, "plain")
    assert "&lt;b&gt; &amp; &#x27;q&#x27; https://example.com/" in get_body(message, "html")
    assert Page(get_body(message, "html")).all("a") == []


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("Peer Learning <hello@learn.example>", "learn.example"),
        ("hello@bücher.example", "xn--bcher-kva.example"),
        ("nobody", "localhost"),
    ],
)
def test_the_message_id_has_the_domain_of_the_sender(
    settings: Settings, john: User, mailoutbox: list[Any], sender: str, domain: str
) -> None:
    settings.DEFAULT_FROM_EMAIL = sender
    enqueue_mail(kind="welcome", address=john.email, user=john)

    send_due_mail()

    assert mailoutbox[0].extra_headers["Message-ID"] == f"<{Mail.objects.get().pk}.20240113110000000000@{domain}>"


def test_a_subject_that_looks_like_an_encoded_word_is_not_decoded(
    server: MailServer, john: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise removed characters could be encoded in it."""
    hostile = replace(LETTER, subject="Knots =?utf-8?q?T=0D=0ABcc:=20x=E2=80=AE?= and more")

    message = send_and_receive(server, hostile, monkeypatch, john)

    # Folding a long subject adds a space.
    assert (
        str(message["Subject"]).strip().replace("\u200b", "") == "Knots =?utf-8?q?T=0D=0ABcc:=20x=E2=80=AE?= and more"
    )
    assert message["Bcc"] is None
