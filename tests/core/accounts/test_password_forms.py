"""Passwords in different Unicode normalization forms."""

from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher, make_password
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from tests.conftest import Api
from tests.core.accounts.conftest import LogIn
from tests.core.conftest import ReadMail, link_in

from core.accounts.models import Login, User
from core.facts.models import FactRecord
from core.mail.models import Mail

TOKEN = "/api/auth/token/"
COMPOSED = "p\u00e9dagogie fin"
DECOMPOSED = "pe\u0301dagogie \ufb01n"
FORMS = [COMPOSED, DECOMPOSED]
NEW = "e\u0301ducation \ufb01n"
NEW_COMPOSED = "\u00e9ducation fin"


@pytest.fixture
def old(john: User) -> User:
    """John, whose password was hashed as typed, before passwords were normalized."""
    john.password = make_password(DECOMPOSED)
    john.is_staff = True
    john.save()
    return john


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The list of passwords that are hashed from now on."""
    encode = MD5PasswordHasher.encode
    passwords: list[str] = []

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        passwords.append(password)
        return str(encode(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return passwords


def is_normalized(member: User) -> bool:
    """Whether the stored hash is that of the composed form."""
    encoded = User.objects.get(pk=member.pk).password
    return MD5PasswordHasher().verify(COMPOSED, encoded)


# --- Setting a password -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", FORMS)
def test_a_changed_password_works_in_every_form(old: User, log_in: LogIn, typed: str) -> None:
    answer = Api(old).post("/api/auth/password/change/", {"old_password": DECOMPOSED, "new_password": typed})

    assert answer.status_code == 200
    assert is_normalized(old)
    for form in FORMS:
        assert log_in("john_doe", form).is_authenticated()


@pytest.mark.parametrize("typed", FORMS)
def test_a_reset_password_works_in_every_form(
    old: User, stranger: Api, log_in: LogIn, read_mail: ReadMail, typed: str
) -> None:
    stranger.post("/api/auth/password/reset/", {"email": old.email})
    (mail,) = read_mail()

    answer = stranger.post("/api/auth/password/reset/confirm/", {**link_in(mail), "new_password": typed})

    assert answer.status_code == 200
    for form in FORMS:
        assert log_in("john_doe", form).is_authenticated()


@pytest.mark.parametrize("typed", FORMS)
def test_ones_own_password_set_in_the_admin_works_in_every_form(old: User, log_in: LogIn, typed: str) -> None:
    client = Client()
    client.force_login(old)

    answer = client.post(
        "/admin/password_change/", {"old_password": DECOMPOSED, "new_password1": typed, "new_password2": typed}
    )

    assert answer.status_code == 302
    for form in FORMS:
        assert log_in("john_doe", form).is_authenticated()


def test_a_password_set_by_a_superuser_works_in_every_form(admin: Client, john: User, log_in: LogIn) -> None:
    answer = admin.post(
        reverse("admin:auth_user_password_change", args=[john.pk]),
        {"password1": DECOMPOSED, "password2": DECOMPOSED, "usable_password": "true"},
    )

    assert answer.status_code == 302
    assert is_normalized(john)
    assert log_in("john_doe", COMPOSED).is_authenticated()


def test_a_password_of_a_member_added_in_the_admin_works_in_every_form(admin: Client, log_in: LogIn) -> None:
    admin.post(
        reverse("admin:core_user_add"),
        {
            "username": "jane",
            "email": "jane@example.com",
            "usable_password": "true",
            "password1": DECOMPOSED,
            "password2": DECOMPOSED,
        },
    )

    assert is_normalized(User.objects.get(username="jane"))
    assert log_in("jane", COMPOSED).is_authenticated()


def test_a_password_set_by_createsuperuser_works_in_every_form(
    db: None, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", DECOMPOSED)

    call_command("createsuperuser", "--no-input", "--username", "boss", "--email", "boss@example.com")

    assert is_normalized(User.objects.get())
    assert log_in("boss", COMPOSED).is_authenticated()


def test_the_admin_rejects_a_password_that_is_weak_when_normalized(old: User) -> None:
    client = Client()
    client.force_login(old)
    weak = "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44"

    page = client.post(
        "/admin/password_change/", {"old_password": DECOMPOSED, "new_password1": weak, "new_password2": weak}
    )

    assert page.status_code == 200
    assert "too common" in page.text


# --- Passwords set before they were normalized --------------------------------------------------------------------


def test_a_password_hashed_as_typed_still_works_and_its_hash_is_upgraded(old: User, log_in: LogIn) -> None:
    log_in("john_doe", DECOMPOSED)

    assert is_normalized(old)
    for form in FORMS:
        assert log_in("john_doe", form).is_authenticated()


def test_upgrading_the_hash_ends_no_login_and_publishes_nothing(old: User, log_in: LogIn) -> None:
    session = Client()
    session.force_login(old)
    phone = Api(old)

    log_in("john_doe", DECOMPOSED)

    assert is_normalized(old)
    assert phone.get("/api/auth/me/").status_code == 200
    assert session.get("/admin/").status_code == 200
    assert User.objects.get().token_version == old.token_version
    assert not Login.objects.exclude(ended_at=None).exists()
    assert not FactRecord.objects.exists()
    assert not Mail.objects.exists()


def test_logging_in_to_the_admin_upgrades_the_hash(old: User) -> None:
    client = Client()

    answer = client.post("/admin/login/?next=/admin/", {"username": "john_doe", "password": DECOMPOSED})

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200
    assert is_normalized(old)


def test_requesting_an_address_change_upgrades_the_hash(old: User) -> None:
    answer = Api(old).post("/api/auth/email/change/", {"password": DECOMPOSED, "new_email": "new@example.com"})

    assert answer.status_code == 200
    assert is_normalized(old)


def test_the_other_form_works_only_after_the_upgrade(old: User, stranger: Api) -> None:
    assert stranger.post(TOKEN, {"username": "john_doe", "password": COMPOSED}).status_code == 401
    assert not is_normalized(old)


def test_an_upgrade_does_not_overwrite_a_concurrent_change(
    old: User, stranger: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = User._save_rehashed

    def change_first(self: User, password: str) -> None:
        other = User.objects.get(pk=self.pk)
        other.set_password(NEW)
        other.save()
        store(self, password)

    monkeypatch.setattr(User, "_save_rehashed", change_first)

    assert stranger.post(TOKEN, {"username": "john_doe", "password": DECOMPOSED}).status_code == 401
    assert not Login.objects.exists()
    assert User.objects.get(pk=old.pk).check_password(NEW_COMPOSED)


@pytest.mark.parametrize(("password", "expected"), [("wrong", 1), ("wro\u0301ng", 2)])
def test_hashing_does_not_reveal_which_members_exist(
    old: User, make_member: Callable[..., User], stranger: Api, hashed: list[str], password: str, expected: int
) -> None:
    make_member("gone", is_active=False, password=make_password(COMPOSED))
    make_member("no_password", password=make_password(None))
    counts = {}
    for name in ("john_doe", "gone", "no_password", "nobody", "nobody@example.com", "admin"):
        hashed.clear()
        assert stranger.post(TOKEN, {"username": name, "password": password}).status_code == 401
        counts[name] = len(hashed)

    assert set(counts.values()) == {expected}, counts


def test_setting_an_unusable_password_ends_all_logins(admin: Client, old: User) -> None:
    session, phone = Client(), Api(old)
    session.force_login(old)
    page = reverse("admin:auth_user_password_change", args=[old.pk])

    answer = admin.post(page, {"usable_password": "false", "unset-password": "1"})

    assert answer.status_code == 302
    assert session.get("/admin/").status_code == 302
    assert phone.get("/api/auth/me/").status_code == 401
