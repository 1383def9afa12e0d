"""Normalization of text: lines are stripped and composed, secrets stay as they are."""

import unicodedata
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

import pytest
import regex
from django.test import Client
from pydantic import StringConstraints
from tests.conftest import PASSWORD, Api
from tests.core.conftest import ReadMail, link_in

from core.accounts.models import User
from core.api import api
from core.http.schemas import EXACT_LINE, LINES, SECRET, RequestSchema
from core.mail.models import Mail
from core.text.normalization import BLANKS, strip_blanks
from core.time import clock

COMPOSED = "caf\u00e9"
DECOMPOSED = "cafe\u0301"
SESSION = {
    "title": "Python",
    "description": "All of it",
    "subject": "Programming",
    "level": "beginner",
    "duration": 60,
    "max_participants": 5,
}


class Sent(RequestSchema):
    """A schema of a module, with and without annotations of normalization."""

    plain: str
    limited: Annotated[str, StringConstraints(max_length=4)] | None = None
    anything: Any = None
    number: int | None = None
    several: list[str] | None = None
    secret: Annotated[str, SECRET] = ""
    secret_or_none: Annotated[str, StringConstraints(min_length=1), SECRET] | None = None
    long: Annotated[str, LINES] = ""
    address: Annotated[str, EXACT_LINE] = ""


def offer(member: User, **changes: Any) -> Any:
    start = (clock.now() + timedelta(days=3)).isoformat()
    return Api(member).post("/api/sessions/", {**SESSION, "date": start, **changes})


# --- Blanks -------------------------------------------------------------------------------------------------------


def test_unicode_white_space_and_zero_width_characters_are_blanks() -> None:
    spaces = set(regex.findall(r"\p{White_Space}", "".join(map(chr, range(0x110000)))))

    assert len(spaces) > 20
    assert spaces <= set(BLANKS)
    assert {"\u200b", "\ufeff", "\u2060"} <= set(BLANKS)


@pytest.mark.parametrize("blank", BLANKS, ids=lambda blank: f"U+{ord(blank):04X}")
def test_a_blank_is_stripped_at_both_ends_only(blank: str) -> None:
    assert strip_blanks(f"{blank} a{blank}b {blank}{blank}") == f"a{blank}b"


# --- Fields -------------------------------------------------------------------------------------------------------


def test_a_field_without_annotation_is_normalized_as_a_line() -> None:
    line = f"\ufeff \t{DECOMPOSED}\u3000\u200b\n"

    sent = Sent.model_validate(
        {"plain": line, "limited": line, "anything": line, "number": "\u00a07 ", "several": [line, " x"]}
    )

    assert sent.model_dump(include={"plain", "limited", "anything", "number", "several"}) == {
        "plain": COMPOSED,
        "limited": COMPOSED,
        "anything": COMPOSED,
        "number": 7,
        "several": [COMPOSED, "x"],
    }


def test_secrets_and_texts_of_several_lines_are_not_stripped_or_composed() -> None:
    text = f" {DECOMPOSED}\u00a0"

    sent = Sent.model_validate({"plain": "", "secret": text, "secret_or_none": text, "long": text, "address": text})

    assert (sent.secret, sent.secret_or_none, sent.long) == (text, text, text)
    assert sent.address == DECOMPOSED


def test_texts_of_several_lines_lose_control_characters_but_line_breaks_and_tabs(john: User) -> None:
    """Other line separators, as word processors paste them, become line breaks."""
    pasted = "one\x0btwo\x0cthree\x85four\x01\x08\x1b\x7f\x9f\tfive\r\nsix"
    read = "one\ntwo\nthree\nfour\tfive\r\nsix"

    answer = offer(john, description=pasted)

    assert (answer.status_code, answer.json()["description"]) == (201, read)
    assert Sent.model_validate({"plain": "", "long": pasted}).long == read


def test_a_subclass_of_a_schema_inherits_normalization() -> None:
    class More(Sent):
        more: str = ""

    sent = More.model_validate({"plain": " a ", "secret": " b ", "more": " c "})

    assert (sent.plain, sent.secret, sent.more) == ("a", " b ", "c")


def test_all_passwords_and_tokens_are_annotated_as_secrets() -> None:
    assert api.urls  # loads all schemas
    ours = [kind for kind in list_subclasses(RequestSchema) if kind.__module__ != __name__]
    fields = [(kind, name) for kind in ours for name in kind.model_fields]
    secrets = [each for each in fields if "password" in each[1] or each[1] in {"token", "refresh"}]

    assert len(secrets) == 10
    assert [each for each in fields if each[0].normalizations[each[1]] is LINES] == [
        each for each in fields if each[1] in {"description", "message", "reason", "content"}
    ]
    assert all(kind.normalizations[name] is SECRET for kind, name in secrets)


def list_subclasses(kind: type[RequestSchema]) -> list[type[RequestSchema]]:
    children = kind.__subclasses__()
    return [*children, *(each for child in children for each in list_subclasses(child))]


def test_a_text_beyond_the_length_limit_is_not_composed(db: None) -> None:
    """Composing takes time that is quadratic in the number of accents."""
    long_text = "a" + "\u0315\u0300" * 80_000
    assert not unicodedata.is_normalized("NFC", long_text[:3])

    assert Sent.model_validate({"plain": long_text}).plain == long_text
    answer = Api().post("/api/auth/token/", {"username": long_text, "password": PASSWORD})
    assert answer.json()["fields"] == {"username": ["At most 300 characters."]}


# --- Bodies -------------------------------------------------------------------------------------------------------


@pytest.fixture
def member(john: User) -> User:
    john.set_password(PASSWORD)
    john.is_staff = True
    john.save()
    return john


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u2060"], ids=ascii)
@pytest.mark.parametrize("name", ["john@example.com", "john_doe"])
def test_a_login_accepts_blanks_around_the_user_name(member: User, name: str, blank: str) -> None:
    for typed in (f"{name}{blank}", f"{blank}{name}"):
        assert Api().post("/api/auth/token/", {"username": typed, "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u200b", "\ufeff"], ids=ascii)
def test_a_login_to_the_portal_accepts_blanks_around_the_user_name(member: User, blank: str) -> None:
    answer = Client().post("/admin/login/?next=/admin/", {"username": f"john_doe{blank}", "password": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u200b"], ids=ascii)
def test_a_password_is_not_stripped(member: User, blank: str) -> None:
    wrong = f"{PASSWORD}{blank}"
    api = Api(member)

    assert Api().post("/api/auth/token/", {"username": "john_doe", "password": wrong}).status_code == 401
    change = api.post("/api/auth/password/change/", {"old_password": wrong, "new_password": "teach-together"})
    assert list(change.json()["fields"]) == ["old_password"]
    address = api.post("/api/auth/email/change/", {"password": wrong, "new_email": "new@example.com"})
    assert list(address.json()["fields"]) == ["password"]


@pytest.mark.parametrize("path", ["token/refresh/", "logout/"])
def test_a_token_is_not_stripped(member: User, path: str) -> None:
    tokens = Api().post("/api/auth/token/", {"username": "john_doe", "password": PASSWORD}).json()

    assert Api().post(f"/api/auth/{path}", {"refresh": f"{tokens['refresh']} "}).status_code == 401
    assert Api().post(f"/api/auth/{path}", tokens).status_code == 200


def test_registration_normalizes_names_and_addresses(db: None) -> None:
    answer = Api().post(
        "/api/auth/register/",
        {
            "username": "\u200bjane\u00a0",
            "email": " jane@example.com\u200b",
            "password": PASSWORD,
            "first_name": f"\ufeff{DECOMPOSED}\u3000",
            "last_name": "\tSmith\n",
            "timezone": " Europe/Berlin ",
        },
    )

    assert answer.status_code == 201
    assert answer.json() == {
        "username": "jane",
        "email": "jane@example.com",
        "first_name": COMPOSED,
        "last_name": "Smith",
        "timezone": "Europe/Berlin",
    }
    jane = User.objects.get()
    assert (jane.username, jane.email, jane.first_name) == ("jane", "jane@example.com", COMPOSED)


def test_changes_of_the_profile_are_normalized(john: User) -> None:
    answer = Api(john).patch("/api/auth/me/", {"first_name": "Johnny\u200b", "timezone": "Europe/Berlin\n"})

    assert (answer.json()["first_name"], answer.json()["timezone"]) == ("Johnny", "Europe/Berlin")


def test_a_password_reset_strips_address_and_uid(member: User, read_mail: ReadMail) -> None:
    Api().post("/api/auth/password/reset/", {"email": "\u00a0john@example.com\u200b"})
    (mail,) = read_mail()
    link = link_in(mail)
    assert mail.to == ["john@example.com"]

    answer = Api().post(
        "/api/auth/password/reset/confirm/",
        {"uid": f" {link['uid']}\u200b", "token": link["token"], "new_password": "teach-together"},
    )

    assert answer.status_code == 200


def test_a_new_address_is_stripped(member: User) -> None:
    body = {"password": PASSWORD, "new_email": " new@example.com\u200b"}

    assert Api(member).post("/api/auth/email/change/", body).status_code == 200
    assert Mail.objects.get().address == "new@example.com"


def test_the_lines_of_a_session_are_normalized(john: User) -> None:
    start = (clock.now() + timedelta(days=3)).isoformat()
    answer = offer(
        john,
        title=f"\u200b{DECOMPOSED}\u200b",
        subject=f"\u3000{DECOMPOSED}\ufeff",
        level="beginner\u00a0",
        date=f" {start}\u200b",
        timezone="Europe/Berlin ",
        description="\u200b\tcode\u200b",
    )

    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["title"], body["subject"], body["level"]) == (COMPOSED, COMPOSED, "beginner")
    assert body["description"] == "\u200b\tcode\u200b"


@pytest.mark.parametrize("title", ["\u200b", "\u00a0\u3000", "\ufeff\u2060", "\u3164", "\u2800"], ids=ascii)
def test_a_title_of_blanks_counts_as_empty(john: User, title: str) -> None:
    answer = offer(john, title=title)

    assert answer.json()["fields"] == {"title": ["This field may not be empty."]}


def test_a_title_that_differs_before_normalization_only_is_no_change(john: User) -> None:
    made = offer(john, title=COMPOSED, subject=COMPOSED).json()

    back = {**made, "title": f"{DECOMPOSED} ", "subject": f"\u200b{DECOMPOSED}"}
    answer = Api(john).put(f"/api/sessions/{made['id']}/", back)

    assert answer.status_code == 200
    assert (answer.json()["title"], answer.json()["updated_at"]) == (COMPOSED, made["updated_at"])


@pytest.mark.parametrize("send", ["post", "upload"])
def test_the_lines_of_a_material_are_normalized_in_json_and_forms(john: User, send: str) -> None:
    made = offer(john).json()
    path = f"/api/sessions/{made['id']}/materials/"
    link = {
        "title": f"\u200b{DECOMPOSED}\u00a0",
        "type": "link ",
        "url": f"\u200b https://example.com/{DECOMPOSED}\ufeff",
    }
    note = {"title": " Note", "type": "note", "content": "  indented\u200b "}

    answers = [getattr(Api(john), send)(path, body) for body in (link, note)]

    assert [answer.status_code for answer in answers] == [201, 201], answers[0].content
    added, noted = (answer.json() for answer in answers)
    assert (added["title"], added["type"], added["url"]) == (COMPOSED, "link", f"https://example.com/{DECOMPOSED}")
    assert noted["content"] == "  indented\u200b "


# --- Queries ------------------------------------------------------------------------------------------------------


@pytest.fixture
def find_titles(john: User, make_member: Callable[..., User]) -> Callable[..., list[str]]:
    """Lists the titles of the sessions that match a query."""
    for number, title in enumerate(("first", "second"), start=1):
        assert offer(john, title=title, subject=f"{COMPOSED} {number}").status_code == 201

    def ask(**query: str) -> list[str]:
        text = "&".join(f"{name}={quote(value)}" for name, value in query.items())
        answer = Api(john).client.get(f"/api/sessions/?{text}", headers=Api(john).headers)
        assert answer.status_code == 200, answer.json()
        return [row["title"] for row in answer.json()["results"]]

    return ask


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u200b", "\n"], ids=ascii)
def test_all_parameters_of_the_session_list_are_stripped(
    john: User, find_titles: Callable[..., list[str]], blank: str
) -> None:
    day = clock.now().date()

    assert find_titles(
        status=f"pending_approval{blank}",
        level=f"{blank}beginner",
        subject=f"{blank}{COMPOSED} 1{blank}",
        creator=f"{john.pk}{blank}",
        date_from=f"{blank}{day}{blank}",
        date_to=f"{day + timedelta(days=9)}{blank}",
        ordering=f"-created_at{blank}",
        page=f"1{blank}",
        page_size=f"{blank}5",
    ) == ["first"]


@pytest.mark.parametrize("typed", [COMPOSED, DECOMPOSED, COMPOSED.upper(), DECOMPOSED.upper()], ids=ascii)
def test_a_subject_matches_in_any_case_composed_or_not(find_titles: Callable[..., list[str]], typed: str) -> None:
    assert sorted(find_titles(subject=typed)) == ["first", "second"]


def test_a_subject_matches_if_its_case_folding_is_not_composed(
    john: User, find_titles: Callable[..., list[str]]
) -> None:
    offer(john, title="greek", subject="\u03aa\u0301\u03b4")  # its lower case is composed differently

    assert find_titles(subject="\u0390\u03b4") == find_titles(subject="\u03b9\u0308\u0301\u03b4") == ["greek"]


@pytest.mark.parametrize("blank", [" ", "\u200b"], ids=ascii)
def test_parameters_of_the_notification_list_are_stripped(john: User, blank: str) -> None:
    query = {"limit": f"5{blank}", "before": f"{blank}42", "unread": f"true{blank}"}

    assert Api(john).get("/api/notifications/", query).json() == []


@pytest.mark.parametrize("typed", [f"{DECOMPOSED}", f"\u200b{COMPOSED}\u00a0"], ids=ascii)
def test_the_search_of_the_portal_is_normalized(admin: Client, john: User, typed: str) -> None:
    offer(john, title=COMPOSED)

    page = admin.get("/admin/learning_sessions/session/", {"q": typed})

    assert [session.title for session in page.context["cl"].result_list] == [COMPOSED]
