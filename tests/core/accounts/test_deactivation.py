"""Deactivating and reactivating members."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from tests.conftest import PASSWORD, Api
from tests.core.accounts.conftest import Device, LogIn
from tests.core.conftest import NOW, ReadMail, is_active
from tests.threads import run_concurrently

from core.accounts.deactivation import deactivate_member, reactivate_member
from core.accounts.models import User
from core.errors import DomainError, Forbidden, Invalid, NotFound, StateForbids
from core.facts.models import FactRecord
from core.mail.models import Mail

MakeMember = Callable[..., User]


@pytest.fixture
def phone(member: User, log_in: LogIn, clock: Any) -> Device:
    """John, logged in before the deactivation."""
    return log_in("john_doe")


def facts() -> list[tuple[str, int, int]]:
    """The facts, with member and actor."""
    return list(FactRecord.objects.order_by("pk").values_list("name", "member_id", "actor_id"))


# --- Effects ------------------------------------------------------------------------------------------------------


def test_a_deactivation_ends_all_logins(phone: Device, member: User, morgan: User, jane: User) -> None:
    janes = Api(jane)

    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")

    assert not phone.is_authenticated()
    assert not phone.can_refresh()
    assert member.logins.get().ended_at == NOW
    assert janes.get("/api/auth/me/").status_code == 200


def test_a_deactivated_member_cannot_log_in(member: User, morgan: User, stranger: Api) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")

    assert stranger.post("/api/auth/token/", {"username": "john_doe", "password": PASSWORD}).status_code == 401


def test_a_reactivated_member_can_log_in_but_old_tokens_stay_invalid(
    phone: Device, member: User, morgan: User, log_in: LogIn
) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")
    reactivate_member(member_id=member.pk, by=morgan, reason="A mistake")

    assert not phone.is_authenticated()
    assert not phone.can_refresh()
    assert log_in("john_doe").is_authenticated()


def test_user_name_and_address_of_a_deactivated_member_stay_taken(member: User, morgan: User, stranger: Api) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")

    answer = stranger.post(
        "/api/auth/register/", {"username": "john_doe", "email": "other@example.com", "password": PASSWORD}
    )

    assert answer.status_code == 400
    assert answer.json()["fields"] == {"username": ["This user name is taken."]}


def test_deactivation_and_reactivation_are_recorded_with_actor_and_reason(
    member: User, morgan: User, clock: Any
) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="  Spam ", told=" Gone. ")
    reactivate_member(member_id=member.pk, by=morgan, reason="A mistake")

    records = FactRecord.objects.order_by("pk").values_list("name", "member_id", "actor_id", "reason", "occurred_at")
    assert list(records) == [
        ("accounts.MemberDeactivated", member.pk, morgan.pk, "Spam", NOW),
        ("accounts.MemberReactivated", member.pk, morgan.pk, "A mistake", NOW),
    ]
    assert FactRecord.objects.order_by("pk")[0].payload == {"member_id": member.pk, "told": "Gone."}


def test_a_member_set_inactive_by_hand_is_rejected_at_once(phone: Device, member: User) -> None:
    User.objects.filter(pk=member.pk).update(is_active=False)

    assert not phone.is_authenticated()
    assert not phone.can_refresh()


@pytest.mark.parametrize("reason", ["", " \n "])
def test_a_deactivation_needs_a_reason(phone: Device, member: User, morgan: User, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        deactivate_member(member_id=member.pk, by=morgan, reason=reason)

    assert set(refused.value.fields) == {"reason"}
    assert phone.is_authenticated()
    assert facts() == []


def test_a_reactivation_needs_no_reason(member: User, morgan: User) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")

    reactivate_member(member_id=member.pk, by=morgan)

    assert is_active(member)


def test_a_second_deactivation_fails_and_says_by_whom_and_why_the_first_was(
    member: User, morgan: User, root: User, clock: Any
) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")
    clock.shift(120)

    with pytest.raises(StateForbids) as refused:
        deactivate_member(member_id=member.pk, by=root, reason="Spam, too")

    assert refused.value.message == "Morgan Reed deactivated John Doe, 2 minutes ago. The reason: Spam"
    assert facts() == [("accounts.MemberDeactivated", member.pk, morgan.pk)]


def test_an_active_member_cannot_be_reactivated(member: User, morgan: User) -> None:
    with pytest.raises(StateForbids) as refused:
        reactivate_member(member_id=member.pk, by=morgan)

    assert refused.value.message == "John Doe is active already."
    assert facts() == []


def test_an_unknown_member_is_not_found(db: None, morgan: User) -> None:
    with pytest.raises(NotFound):
        deactivate_member(member_id=morgan.pk + 1000, by=morgan, reason="Spam")


# --- Permissions --------------------------------------------------------------------------------------------------


@pytest.fixture
def people(make_member: MakeMember, morgan: User, root: User, jane: User) -> dict[str, User]:
    """Members with different permissions, as actors and as targets."""
    clerk = make_member("clerk", is_staff=True)
    keeper = make_member("keeper")
    keeper.user_permissions.add(Permission.objects.get(codename="deactivate_user"))
    gone = make_member("gone", is_active=False)
    gone.groups.set(morgan.groups.all())
    return {
        "a member": jane,
        "a moderator": morgan,
        "staff without rights": clerk,
        "a member with the right": keeper,
        "a deactivated moderator": gone,
        "a superuser": root,
        "another superuser": make_member("boss", is_superuser=True),
        "a superuser who is no staff": make_member("ghost", is_superuser=True),
        "themselves": jane,
    }


ALLOWED = [
    ("a moderator", "a member"),
    ("a moderator", "a member with the right"),
    ("a member with the right", "a member"),
    ("a superuser", "a member"),
    ("a superuser", "a moderator"),
    ("a superuser", "staff without rights"),
    ("a superuser", "another superuser"),
]
REFUSED = [
    ("a member", "a moderator", "You may not"),
    ("a member", "a member with the right", "You may not"),
    ("staff without rights", "a member", "You may not"),
    ("a deactivated moderator", "a member", "You may not"),
    ("a moderator", "a moderator", "Nobody deactivates or reactivates themselves."),
    ("a superuser", "a superuser", "Nobody deactivates or reactivates themselves."),
    ("a moderator", "staff without rights", "Only a superuser"),
    ("a moderator", "a superuser", "Only a superuser"),
    ("a moderator", "a superuser who is no staff", "Only a superuser"),
]


@pytest.mark.parametrize(("who", "whom"), ALLOWED)
def test_members_with_permission_deactivate_and_reactivate(people: dict[str, User], who: str, whom: str) -> None:
    by, member = people[who], people[whom]

    deactivate_member(member_id=member.pk, by=by, reason="Spam")
    assert not is_active(member)
    reactivate_member(member_id=member.pk, by=by)

    assert is_active(member)


@pytest.mark.parametrize(("who", "whom", "why"), REFUSED)
def test_members_without_permission_are_forbidden(people: dict[str, User], who: str, whom: str, why: str) -> None:
    by, member = people[who], people[whom]

    with pytest.raises(Forbidden, match=why):
        deactivate_member(member_id=member.pk, by=by, reason="Spam")
    assert is_active(member)
    User.objects.filter(pk=member.pk).update(is_active=False)
    with pytest.raises(Forbidden):
        reactivate_member(member_id=member.pk, by=by)

    assert not is_active(member)
    assert facts() == []
    assert not Mail.objects.exists()


def test_permissions_are_read_from_the_database_again(member: User, morgan: User) -> None:
    assert morgan.has_perm("core.deactivate_user")
    User.objects.get(pk=morgan.pk).groups.clear()

    with pytest.raises(Forbidden):
        deactivate_member(member_id=member.pk, by=morgan, reason="Spam")

    assert is_active(member)


# --- Concurrency --------------------------------------------------------------------------------------------------


def outcome(change: Callable[..., object], **values: Any) -> Callable[[], str]:
    """Return a function that makes the change and returns "done" or the error."""

    def work() -> str:
        try:
            change(**values)
        except DomainError as error:
            return type(error).__name__
        return "done"

    return work


@pytest.mark.django_db(transaction=True)
def test_of_two_concurrent_deactivations_one_succeeds(make_member: MakeMember, morgan: User, root: User) -> None:
    member = make_member("john")

    outcomes = run_concurrently(
        *(outcome(deactivate_member, member_id=member.pk, by=by, reason="Spam") for by in (morgan, root))
    )

    assert sorted(outcomes) == ["StateForbids", "done"]
    assert [name for name, _, _ in facts()] == ["accounts.MemberDeactivated"]
    assert Mail.objects.filter(kind="deactivated").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_superusers_who_deactivate_each_other_at_once_are_not_both_deactivated(
    make_member: MakeMember, root: User
) -> None:
    boss = make_member("boss", is_superuser=True)

    outcomes = run_concurrently(
        outcome(deactivate_member, member_id=boss.pk, by=root, reason="Mine alone"),
        outcome(deactivate_member, member_id=root.pk, by=boss, reason="Mine alone"),
    )

    assert sorted(outcomes) == ["Forbidden", "done"]
    assert is_active(root) != is_active(boss)


# --- Mails --------------------------------------------------------------------------------------------------------


def test_the_mail_about_a_deactivation_has_the_reason_but_not_the_actor(
    member: User, morgan: User, read_mail: ReadMail, clock: Any
) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="Spam <b>everywhere</b>")

    (mail,) = read_mail()
    assert mail.to == [member.email]
    assert mail.subject == "Your account was deactivated"
    assert "The reason: Spam <b>everywhere</b>" in str(mail.body)
    assert "Morgan" not in str(mail.body)
    html, _ = mail.alternatives[0]  # type: ignore[attr-defined]
    assert "Spam &lt;b&gt;everywhere&lt;/b&gt;" in html


def test_a_reactivated_member_gets_a_mail(member: User, morgan: User, read_mail: ReadMail, clock: Any) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")
    read_mail()

    reactivate_member(member_id=member.pk, by=morgan, reason="A mistake of ours")

    (mail,) = read_mail()
    assert (mail.to, mail.subject) == ([member.email], "Your account is active again")
    assert "mistake of ours" not in str(mail.body)


def test_an_outdated_mail_is_dropped(member: User, morgan: User, read_mail: ReadMail, clock: Any) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")
    reactivate_member(member_id=member.pk, by=morgan)

    assert [mail.subject for mail in read_mail()] == ["Your account is active again"]


def test_a_member_without_address_gets_no_mail(make_member: MakeMember, morgan: User) -> None:
    member = make_member("nomad", email="")

    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")

    assert not Mail.objects.exists()
