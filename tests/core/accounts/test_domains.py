"""Domains of addresses are normalized to A-labels of IDNA 2008."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from tests.conftest import PASSWORD, Api
from tests.core.conftest import ReadMail, link_in
from tests.mail_server import MailServer

from core.accounts.models import User
from core.mail.models import Mail
from core.mail.sending import send_due_mail

REGISTER = "/api/auth/register/"
TOKEN = "/api/auth/token/"
RESET = "/api/auth/password/reset/"
CHANGE = "/api/auth/email/change/"
CONFIRM = "/api/auth/email/change/confirm/"

SHARP_S = "r@xn--fu-hia.example"
# The Kelvin sign and the long s: non-ASCII letters that case-fold to ASCII.
KELVIN = "\N{KELVIN SIGN}ate@example.com"
LONG_S = "\N{LATIN SMALL LETTER LONG S}am@example.com"

DOUBLE_WIDTH = {code: code + 0xFEE0 for code in range(ord("!"), ord("~") + 1)}
# Spellings of the mailbox `r` at `fuß.example`.
SPELLINGS = [
    "r@fuß.example",
    "r@FUẞ.example",
    "r@fuß.example.",
    "R@fuß。example",
    f"r@{'fuß.example'.translate(DOUBLE_WIDTH)}",
    "r@xn--fu-hia.example",
    "r@XN--FU-HIA.EXAMPLE",
    '"r"@fuß.example',
]
NO_ADDRESSES = {
    "a fake A-label": "r@xn--fake.example",
    "an A-label that is written in another way than it has to be": "r@xn---bbk.example",
    "a label of 64 letters": f"r@{'a' * 64}.example",
    "a label that is too long once it is encoded": f"r@{'ü' * 60}.example",
    "a domain that is too long once it is encoded": f"r@{'ü.' * 40}example",
    "an empty label": "r@fuß..example",
    "a label with a hyphen at its end": "r@a-.example",
    "an underline": "r@a_b.example",
    "a symbol, which the rules of 2003 let pass": "r@☃.example",
    "letters from right to left beside others": "r@aא.example",
    "a digit before letters from right to left": "r@1a.נ.example",
    "a joiner where nothing is joined": "r@a\u200db.example",
    "a number for a domain": "r@[127.0.0.1]",
    "a line break": "r@fuß.example\nx",
    "no domain": "r@",
    "nothing before the @": "@fuß.example",
    "an @ of double width": "r\N{FULLWIDTH COMMERCIAL AT}fuß.example",
    "letters beyond ASCII before the @": "ü@example.com",
    "the sign of Kelvin": KELVIN,
    "a long s": LONG_S,
}


def form(**changes: Any) -> dict[str, Any]:
    return {"username": "rita", "email": "r@fuß.example", "password": PASSWORD, **changes}


@pytest.fixture
def rita(make_member: Callable[..., User]) -> User:
    rita = make_member("rita_old", email="r@fuß.example")
    rita.set_password(PASSWORD)
    rita.save()
    return rita


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_domain_is_stored_in_a_labels(stranger: Api, spelling: str) -> None:
    answer = stranger.post(REGISTER, form(email=spelling))

    assert answer.status_code == 201
    assert answer.json()["email"].lower() == User.objects.get().email.lower() == SHARP_S


@pytest.mark.parametrize(
    ("domain", "stored"),
    [
        ("fuß.example", "xn--fu-hia.example"),
        ("fuss.example", "fuss.example"),
        ("βόλος.example", "xn--nxasmm1c.example"),
        ("βόλοσ.example", "xn--nxasmq6b.example"),
        ("نامه\u200c\u0627ی.example", "xn--mgba3gch31f060k.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("exa\N{SOFT HYPHEN}mple.com", "example.com"),
        ("𠮷.example", "xn--7l3i.example"),
        ("r4---sn-x.example", "r4---sn-x.example"),
        ("localhost", "localhost"),
    ],
)
def test_different_domains_stay_different(stranger: Api, domain: str, stored: str) -> None:
    assert stranger.post(REGISTER, form(email=f"r@{domain}")).json()["email"] == f"r@{stored}"


@pytest.mark.parametrize("address", NO_ADDRESSES.values(), ids=NO_ADDRESSES)
def test_an_undeliverable_address_is_rejected_with_its_reason(stranger: Api, john: User, address: str) -> None:
    registering = stranger.post(REGISTER, form(email=address))
    changing = Api(_with_password(john)).post(CHANGE, {"password": PASSWORD, "new_email": address})

    assert (registering.status_code, list(registering.json()["fields"])) == (400, ["email"])
    assert (changing.status_code, list(changing.json()["fields"])) == (400, ["new_email"])
    assert User.objects.get() == john
    assert not Mail.objects.exists()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_mailbox_has_one_account(rita: User, stranger: Api, read_mail: ReadMail, spelling: str) -> None:
    assert stranger.post(REGISTER, form(email=spelling)).status_code == 201

    assert User.objects.get() == rita
    assert [(mail.to, mail.subject) for mail in read_mail()] == [([SHARP_S], "You already have an account")]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_member_logs_in_with_any_form_of_the_domain(
    rita: User, stranger: Api, read_mail: ReadMail, spelling: str
) -> None:
    assert stranger.post(TOKEN, {"username": spelling, "password": PASSWORD}).status_code == 200
    assert stranger.post(RESET, {"email": spelling}).status_code == 200

    assert [(mail.to, mail.subject) for mail in read_mail()] == [([SHARP_S], "Choose a new password")]


def test_a_reset_link_is_not_sent_to_the_idna_2003_domain(rita: User, stranger: Api, mail_server: MailServer) -> None:
    stranger.post(RESET, {"email": "r@fuß.example"})

    assert send_due_mail() == 1

    assert mail_server.list_recipients() == [SHARP_S]
    assert mail_server.received[0]["To"] == SHARP_S


def test_an_account_at_the_idna_2003_domain_is_another_one(
    rita: User, make_member: Callable[..., User], stranger: Api, read_mail: ReadMail
) -> None:
    make_member("other", email="r@fuss.example")

    stranger.post(RESET, {"email": "r@fuss.example"})

    # An account without a password gets no link.
    assert read_mail() == []
    assert stranger.post(TOKEN, {"username": "r@fuss.example", "password": PASSWORD}).status_code == 401


@pytest.mark.parametrize(("address", "folded"), [(KELVIN, "kate@example.com"), (LONG_S, "sam@example.com")])
def test_letters_that_case_fold_to_ascii_find_no_account(
    make_member: Callable[..., User], stranger: Api, read_mail: ReadMail, address: str, folded: str
) -> None:
    _with_password(make_member("somebody", email=folded))

    assert stranger.post(TOKEN, {"username": address, "password": PASSWORD}).status_code == 401
    assert stranger.post(RESET, {"email": address}).status_code == 200
    assert read_mail() == []


def test_a_changed_address_is_stored_in_a_labels(john: User, stranger: Api, read_mail: ReadMail) -> None:
    api = Api(_with_password(john))
    api.post(CHANGE, {"password": PASSWORD, "new_email": "r@FUẞ.example"})
    (mail,) = read_mail()

    assert mail.to == [SHARP_S]
    assert stranger.post(CONFIRM, {"token": link_in(mail)["token"]}).status_code == 200
    assert api.get("/api/auth/me/").json()["email"] == SHARP_S


def test_a_taken_address_is_recognized_in_any_form_of_its_domain(john: User, rita: User, read_mail: ReadMail) -> None:
    Api(_with_password(john)).post(CHANGE, {"password": PASSWORD, "new_email": "r@xn--fu-hia.example"})

    assert [(mail.to, mail.subject) for mail in read_mail()] == [([SHARP_S], "You already have an account")]


def test_createsuperuser_stores_the_domain_in_a_labels(db: None, rita: User) -> None:
    call_command("createsuperuser", username="Root", email="root@Fuß.example", interactive=False)

    assert User.objects.get(username="Root").email == "root@xn--fu-hia.example"
    with pytest.raises(CommandError):
        call_command("createsuperuser", username="Kate", email=KELVIN, interactive=False)


@pytest.mark.parametrize(
    ("address", "stored"), [("k@FUẞ.example", "k@xn--fu-hia.example"), ("r@fuß.example", None), (KELVIN, None)]
)
def test_the_admin_form_normalizes_domains(admin: Client, rita: User, address: str, stored: str | None) -> None:
    values = {"username": "kim", "email": address, "usable_password": "false"}

    response = admin.post(reverse("admin:core_user_add"), values)

    assert list(User.objects.filter(username="kim").values_list("email", flat=True)) == ([stored] if stored else [])
    if stored is None:
        assert list(response.context["adminform"].form.errors) == ["email"]


def test_the_list_finds_a_member_however_the_domain_is_written(admin: Client, rita: User) -> None:
    response = admin.get(reverse("admin:core_user_changelist"), {"q": "r@fuß.example"})

    assert list(response.context["cl"].queryset) == [rita]


def _with_password(member: User) -> User:
    member.set_password(PASSWORD)
    member.save()
    return member
