"""Keeping a member out, and letting them in again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from tests.conftest import PASSWORD, Api
from tests.core.accounts.conftest import Device, LogIn
from tests.core.conftest import NOW, ReadMail
from tests.core.threads import together

from core.accounts.deactivation import deactivate_member, reactivate_member
from core.accounts.models import User
from core.errors import DomainError, Forbidden, Invalid, NotFound, StateForbids
from core.facts.models import FactRecord
from core.mail.models import Mail

MakeMember = Callable[..., User]


@pytest.fixture
def phone(member: User, log_in: LogIn, clock: Any) -> Device:
    """John's, logged in before anything happens."""
    return log_in("john_doe")


def facts() -> list[tuple[str, int, int]]:
    """What was recorded, of whom, by whom."""
    return list(FactRecord.objects.order_by("pk").values_list("name", "member_id", "actor_id"))


def is_active(member: User) -> bool:
    return User.objects.get(pk=member.pk).is_active


# --- Out, and in again ------------------------------------------------------------------------------------------


def test_deactivation_ends_every_login_at_once(phone: Device, member: User, morgan: User, jane: User) -> None:
    janes = Api(jane)

    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")

    assert not phone.is_known()
    assert not phone.can_refresh()
    assert member.logins.get().ended_at == NOW
    assert janes.get("/api/auth/me/").status_code == 200


def test_a_deactivated_member_cannot_log_in(member: User, morgan: User, stranger: Api) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")

    assert stranger.post("/api/auth/token/", {"username": "john_doe", "password": PASSWORD}).status_code == 401


def test_a_reactivated_member_logs_in_again_but_old_tokens_stay_dead(
    phone: Device, member: User, morgan: User, log_in: LogIn
) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")
    reactivate_member(member_id=member.pk, by=morgan, reason="A mistake")

    assert not phone.is_known()
    assert not phone.can_refresh()
    assert log_in("john_doe").is_known()


def test_a_name_and_an_address_stay_taken(member: User, morgan: User, stranger: Api) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")

    answer = stranger.post(
        "/api/auth/register/", {"username": "john_doe", "email": "other@example.com", "password": PASSWORD}
    )

    assert answer.status_code == 400
    assert answer.json()["fields"] == {"username": ["This user name is taken."]}


def test_both_are_recorded_with_who_and_why(member: User, morgan: User, clock: Any) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="  Spam ", told=" Gone. ")
    reactivate_member(member_id=member.pk, by=morgan, reason="A mistake")

    records = FactRecord.objects.order_by("pk").values_list("name", "member_id", "actor_id", "reason", "occurred_at")
    assert list(records) == [
        ("accounts.MemberDeactivated", member.pk, morgan.pk, "Spam", NOW),
        ("accounts.MemberReactivated", member.pk, morgan.pk, "A mistake", NOW),
    ]
    assert FactRecord.objects.order_by("pk")[0].payload == {"member_id": member.pk, "told": "Gone."}


def test_a_member_set_inactive_by_hand_is_out_at_once(phone: Device, member: User) -> None:
    User.objects.filter(pk=member.pk).update(is_active=False)

    assert not phone.is_known()
    assert not phone.can_refresh()


@pytest.mark.parametrize("reason", ["", " \n "])
def test_a_deactivation_needs_a_reason(phone: Device, member: User, morgan: User, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        deactivate_member(member_id=member.pk, by=morgan, reason=reason)

    assert set(refused.value.fields) == {"reason"}
    assert phone.is_known()
    assert facts() == []


def test_a_reactivation_needs_none(member: User, morgan: User) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")

    reactivate_member(member_id=member.pk, by=morgan)

    assert is_active(member)


def test_whoever_comes_second_is_told_who_was_first_and_why(member: User, morgan: User, root: User, clock: Any) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")
    clock.shift(120)

    with pytest.raises(StateForbids) as refused:
        deactivate_member(member_id=member.pk, by=root, reason="Spam, too")

    assert refused.value.message == "Morgan Reed deactivated John Doe, 2 minutes ago. The reason: Spam"
    assert facts() == [("accounts.MemberDeactivated", member.pk, morgan.pk)]


def test_who_is_active_cannot_be_reactivated(member: User, morgan: User) -> None:
    with pytest.raises(StateForbids) as refused:
        reactivate_member(member_id=member.pk, by=morgan)

    assert refused.value.message == "John Doe is active already."
    assert facts() == []


def test_nobody_deactivates_who_is_not_there(db: None, morgan: User) -> None:
    with pytest.raises(NotFound):
        deactivate_member(member_id=morgan.pk + 1000, by=morgan, reason="Spam")


# --- Who may ----------------------------------------------------------------------------------------------------


@pytest.fixture
def people(make_member: MakeMember, morgan: User, root: User, jane: User) -> dict[str, User]:
    """Who wants to deactivate somebody, or is to be."""
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
def test_who_may_deactivates_and_reactivates(people: dict[str, User], who: str, whom: str) -> None:
    by, member = people[who], people[whom]

    deactivate_member(member_id=member.pk, by=by, reason="Spam")
    assert not is_active(member)
    reactivate_member(member_id=member.pk, by=by)

    assert is_active(member)


@pytest.mark.parametrize(("who", "whom", "why"), REFUSED)
def test_nobody_else_does(people: dict[str, User], who: str, whom: str, why: str) -> None:
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


def test_rights_that_were_lost_meanwhile_are_lost(member: User, morgan: User) -> None:
    assert morgan.has_perm("core.deactivate_user")
    User.objects.get(pk=morgan.pk).groups.clear()

    with pytest.raises(Forbidden):
        deactivate_member(member_id=member.pk, by=morgan, reason="Spam")

    assert is_active(member)


# --- At once ----------------------------------------------------------------------------------------------------


def outcome(change: Callable[..., object], **values: Any) -> Callable[[], str]:
    """The change, answering "done" or what was said against it."""

    def work() -> str:
        try:
            change(**values)
        except DomainError as error:
            return type(error).__name__
        return "done"

    return work


@pytest.mark.django_db(transaction=True)
def test_of_two_moderators_at_once_one_deactivates(make_member: MakeMember, morgan: User, root: User) -> None:
    member = make_member("john")

    outcomes = together(
        *(outcome(deactivate_member, member_id=member.pk, by=by, reason="Spam") for by in (morgan, root))
    )

    assert sorted(outcomes) == ["StateForbids", "done"]
    assert [name for name, _, _ in facts()] == ["accounts.MemberDeactivated"]
    assert Mail.objects.filter(kind="deactivated").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_superusers_who_put_each_other_out_at_once_are_not_both_out(make_member: MakeMember, root: User) -> None:
    boss = make_member("boss", is_superuser=True)

    outcomes = together(
        outcome(deactivate_member, member_id=boss.pk, by=root, reason="Mine alone"),
        outcome(deactivate_member, member_id=root.pk, by=boss, reason="Mine alone"),
    )

    assert sorted(outcomes) == ["Forbidden", "done"]
    assert is_active(root) != is_active(boss)


# --- What they are written --------------------------------------------------------------------------------------


def test_a_deactivated_member_is_written_why_but_not_by_whom(
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


def test_and_that_they_are_active_again(member: User, morgan: User, read_mail: ReadMail, clock: Any) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")
    read_mail()

    reactivate_member(member_id=member.pk, by=morgan, reason="A mistake of ours")

    (mail,) = read_mail()
    assert (mail.to, mail.subject) == ([member.email], "Your account is active again")
    assert "mistake of ours" not in str(mail.body)


def test_a_letter_that_holds_no_longer_is_not_sent(member: User, morgan: User, read_mail: ReadMail, clock: Any) -> None:
    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")
    reactivate_member(member_id=member.pk, by=morgan)

    assert [mail.subject for mail in read_mail()] == ["Your account is active again"]


def test_who_has_no_address_is_not_written(make_member: MakeMember, morgan: User) -> None:
    member = make_member("nomad", email="")

    deactivate_member(member_id=member.pk, by=morgan, reason="Spam")

    assert not Mail.objects.exists()
