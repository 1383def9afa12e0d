"""The preferences of members (docs/contract.md, "Notifications")."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from tests.conftest import Api
from tests.modules.notifications.conftest import NOW, News
from tests.threads import run_concurrently

from core.accounts.models import User
from core.facts.models import FactRecord
from core.mail.models import Mail
from modules.notifications.kinds import Kind
from modules.notifications.models import Notification, Preference
from modules.notifications.services.notifying import notify
from modules.notifications.services.preferences import Subscription, stop_mail
from modules.notifications.texts import Text
from modules.sessions.events import SeatLeft, SessionApproved

PATH = "/api/notifications/preferences/"
BOTH = {"in_app": True, "mail": True}
IN_APP = {"in_app": True, "mail": False}
DEFAULTS = {
    "booking_request": BOTH,
    "booking_decision": BOTH,
    "seat_left": IN_APP,
    "session_decision": BOTH,
    "session_rescheduled": BOTH,
    "session_cancelled": BOTH,
    "material_added": IN_APP,
    "material_removed": BOTH,
    "reminder": BOTH,
    "moderation_digest": BOTH,
}

pytestmark = pytest.mark.django_db


def approved(john: User) -> SessionApproved:
    return SessionApproved(session_id=1, title="Knots", creator_id=john.pk)


def test_the_defaults_apply_without_a_choice(john: User) -> None:
    response = Api(john).get(PATH)

    assert response.status_code == 200
    assert response.json() == DEFAULTS
    assert list(response.json()) == list(DEFAULTS)


def test_one_channel_of_one_kind_can_be_chosen(john: User, jane: User) -> None:
    response = Api(john).put(PATH, {"reminder": {"mail": False}})

    assert response.status_code == 200
    assert response.json() == {**DEFAULTS, "reminder": IN_APP}
    assert Api(john).get(PATH).json() == {**DEFAULTS, "reminder": IN_APP}
    assert Api(jane).get(PATH).json() == DEFAULTS


def test_a_choice_can_be_reverted(john: User) -> None:
    api = Api(john)
    api.put(PATH, {"reminder": {"mail": False}, "seat_left": {"mail": True}})

    assert api.put(PATH, {"reminder": {"mail": True}}).json() == {**DEFAULTS, "seat_left": BOTH}


def test_a_choice_equal_to_the_present_channels_changes_nothing(john: User) -> None:
    response = Api(john).put(PATH, DEFAULTS)

    assert response.json() == DEFAULTS
    assert not Preference.objects.exists()
    assert not FactRecord.objects.filter(name="notifications.PreferencesChanged").exists()


def test_a_choice_is_recorded_with_the_former_channels(john: User) -> None:
    Api(john).put(PATH, {"reminder": {"mail": False}, "seat_left": {"in_app": False}})

    record = FactRecord.objects.get(name="notifications.PreferencesChanged")
    assert (record.member_id, record.actor) == (john.pk, john)
    assert record.changes == {"reminder": ["app and mail", "app"], "seat_left": ["app", "nowhere"]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"gossip": {"mail": True}}, "gossip"),
        ({"reminder": {"mail": "yes"}}, "reminder"),
        ({"reminder": {"mail": 1}}, "reminder"),
        ({"reminder": True}, "reminder"),
        ({"reminder": []}, "reminder"),
        ({"reminder": {"sms": True}}, "reminder"),
        ({"reminder": {"mail": False}, "gossip": None}, "gossip"),
    ],
)
def test_invalid_choices_are_refused_and_change_nothing(john: User, body: Any, field: str) -> None:
    response = Api(john).put(PATH, body)

    assert response.status_code == 400
    assert list(response.json()["fields"]) == [field]
    assert Api(john).get(PATH).json() == DEFAULTS


def test_an_unknown_kind_is_refused_by_name(john: User) -> None:
    response = Api(john).put(PATH, {"gossip": {"mail": True}})

    assert response.json() == {
        "error": "gossip: There is nothing of this name.",
        "fields": {"gossip": ["There is nothing of this name."]},
    }


def test_an_empty_choice_is_accepted(john: User) -> None:
    for body in ({}, {"reminder": None}, {"reminder": {}}, {"reminder": {"mail": None}}):
        assert Api(john).put(PATH, body).json() == DEFAULTS


def test_preferences_need_authentication() -> None:
    assert Api().get(PATH).status_code == 401
    assert Api().put(PATH, {}).status_code == 401


# --- What they do -----------------------------------------------------------------------------------------------


def test_by_default_a_notification_is_shown_and_mailed(john: User, news: News) -> None:
    news.publish(approved(john))

    told = Notification.objects.get()
    assert (told.kind, told.in_app, told.by_mail, told.chosen) == ("session_decision", True, True, False)
    assert told.mail == Mail.objects.get()
    assert [each["title"] for each in Api(john).get("/api/notifications/").json()] == ["Session approved: Knots"]


def test_a_member_who_wants_no_mail_gets_none(john: User, news: News) -> None:
    Api(john).put(PATH, {"session_decision": {"mail": False}})
    news.publish(approved(john))

    assert not Mail.objects.exists()
    assert [each["title"] for each in Api(john).get("/api/notifications/").json()] == ["Session approved: Knots"]


def test_a_member_who_wants_only_mail_sees_nothing_in_the_app(john: User, news: News) -> None:
    api = Api(john)
    api.put(PATH, {"session_decision": {"in_app": False}})
    news.publish(approved(john))
    told = Notification.objects.get()

    assert Mail.objects.get().address == john.email
    assert api.get("/api/notifications/").json() == []
    assert api.get("/api/notifications/unread_count/").json() == {"count": 0}
    assert api.post("/api/notifications/mark_all_as_read/").json() == {"updated": 0}
    assert api.post(f"/api/notifications/{told.pk}/mark_as_read/").status_code == 404
    assert api.get(f"/api/notifications/{told.pk}/why/").status_code == 404


def test_a_row_is_written_even_for_a_muted_kind(john: User, news: News) -> None:
    Api(john).put(PATH, {"session_decision": {"in_app": False, "mail": False}})
    news.publish(approved(john))

    told = Notification.objects.get()
    assert (told.in_app, told.by_mail, told.chosen, told.mail) == (False, False, True, None)
    assert not Mail.objects.exists()


def test_a_kind_that_is_not_mailed_by_default_can_be(john: User, jane: User, news: News) -> None:
    fact = SeatLeft(session_id=1, title="Knots", creator_id=john.pk, request_id=1, member_id=jane.pk)
    news.publish(fact, by=jane)
    assert not Mail.objects.exists()

    Api(john).put(PATH, {"seat_left": {"mail": True}})
    news.publish(fact, by=jane)

    assert [mail.address for mail in Mail.objects.all()] == [john.email]


@pytest.mark.parametrize("values", [{"email": ""}, {"is_active": False}])
def test_members_without_an_address_are_notified_in_the_app_only(make_member: Any, news: News, values: Any) -> None:
    member = make_member(**values)

    news.publish(approved(member))

    assert Notification.objects.get().user == member
    assert not Mail.objects.exists()


def test_notifying_takes_a_constant_number_of_queries(make_member: Any, news: News) -> None:
    def tell(number: int) -> int:
        members = [make_member() for _ in range(number)]
        record = FactRecord.objects.create(name="tests.SomethingHappened", occurred_at=NOW, payload={})
        with transaction.atomic(), CaptureQueriesContext(connection) as queries:
            notify(
                fact_id=record.pk,
                type=Notification.Type.GENERAL,
                kind=Kind.REMINDER,
                topic=f"tests:{number}",
                session_id=None,
                at_once=True,
                texts={member: Text(title="Title", message="Message.") for member in members},
            )
        return len(queries)

    assert tell(2) == tell(50)


@pytest.mark.django_db(transaction=True)
def test_concurrent_choices_are_all_saved(john: User) -> None:
    """One ends the mails by the link in one, others choose in the app: each only what it names."""
    kinds = [Kind.REMINDER, Kind.BOOKING_REQUEST]

    subscription = Subscription(user=john, kinds=tuple(kinds))
    results = run_concurrently(
        *[lambda: stop_mail(subscription=subscription, everything=False)] * 4,
        *[lambda: Api(john).put(PATH, {kind: {"in_app": False} for kind in kinds}).status_code] * 4,
    )

    assert sorted(results, key=str) == [200] * 4 + [None] * 4
    assert [Api(john).get(PATH).json()[kind] for kind in kinds] == [{"in_app": False, "mail": False}] * 2
