"""Keeping a member out, and letting them in again."""

from typing import Any

import pytest
from tests.conftest import PASSWORD, Api
from tests.core.accounts.conftest import Device, LogIn
from tests.core.conftest import NOW

from core.accounts.models import User
from core.accounts.services import deactivate_member, reactivate_member
from core.facts.models import FactRecord


@pytest.fixture
def phone(member: User, log_in: LogIn, clock: Any) -> Device:
    """John's, logged in before anything happens."""
    return log_in("john_doe")


def test_deactivation_ends_every_login_at_once(phone: Device, member: User, jane: User) -> None:
    janes = Api(jane)

    deactivate_member(member_id=member.pk, by=jane, reason="Spam")

    assert not phone.is_known()
    assert not phone.can_refresh()
    assert member.logins.get().ended_at == NOW
    assert janes.get("/api/auth/me/").status_code == 200


def test_a_deactivated_member_cannot_log_in(member: User, jane: User, stranger: Api) -> None:
    deactivate_member(member_id=member.pk, by=jane, reason="Spam")

    assert stranger.post("/api/auth/token/", {"username": "john_doe", "password": PASSWORD}).status_code == 401


def test_a_reactivated_member_logs_in_again_but_old_tokens_stay_dead(
    phone: Device, member: User, jane: User, log_in: LogIn
) -> None:
    deactivate_member(member_id=member.pk, by=jane, reason="Spam")
    reactivate_member(member_id=member.pk, by=jane, reason="A mistake")

    assert not phone.is_known()
    assert not phone.can_refresh()
    assert log_in("john_doe").is_known()


def test_a_name_and_an_address_stay_taken(member: User, jane: User, stranger: Api) -> None:
    deactivate_member(member_id=member.pk, by=jane, reason="Spam")

    answer = stranger.post(
        "/api/auth/register/", {"username": "john_doe", "email": "other@example.com", "password": PASSWORD}
    )

    assert answer.status_code == 400
    assert answer.json()["fields"] == {"username": ["This user name is taken."]}


def test_both_are_recorded_once_with_who_and_why(member: User, jane: User, clock: Any) -> None:
    for _ in range(2):
        deactivate_member(member_id=member.pk, by=jane, reason="Spam")
    for _ in range(2):
        reactivate_member(member_id=member.pk, by=jane, reason="A mistake")

    facts = FactRecord.objects.order_by("pk").values_list("name", "member_id", "actor_id", "reason", "occurred_at")
    assert list(facts) == [
        ("accounts.MemberDeactivated", member.pk, jane.pk, "Spam", NOW),
        ("accounts.MemberReactivated", member.pk, jane.pk, "A mistake", NOW),
    ]


def test_a_member_set_inactive_by_hand_is_out_at_once(phone: Device, member: User) -> None:
    User.objects.filter(pk=member.pk).update(is_active=False)

    assert not phone.is_known()
    assert not phone.can_refresh()
