"""Rows for every list of the portal. Each has its own members and sessions, so that N+1 queries show."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from django.apps import apps
from model_bakery import baker
from tests.core.portal.conftest import NOW

from core.jobs.periodic import PERIODIC_JOBS

numbers = count(1)


@dataclass(frozen=True)
class Rows:
    """A function that makes rows of a list, and a search term that finds all of them."""

    make: Callable[[int], object]
    word: str = ""


def member(**values: Any) -> Any:
    number = next(numbers)
    return baker.make("core.User", username=f"carol_{number}", email=f"carol_{number}@example.com", **values)


def session(**values: Any) -> Any:
    given = {
        "title": f"Knots {next(numbers)}",
        "status": "pending_approval",
        "date": NOW + timedelta(days=5),
        "duration": 60,
        "max_participants": 5,
    }
    return baker.make("learning_sessions.Session", **{"creator": member(), **given, **values})


def fact(**values: Any) -> Any:
    return baker.make(
        "core.FactRecord", name="sessions.SessionApproved", actor=member(), payload={}, occurred_at=NOW, **values
    )


def failed_delivery() -> Any:
    return baker.make("core.FailedDelivery", fact=fact(), receiver="notifications.tell", failed_at=NOW)


def mail() -> Any:
    first = baker.make("core.Mail", kind="news", user=member(), status="sent", next_try_at=None)
    return baker.make(
        "core.Mail", kind="news", user=member(), address=first.address, status="failed", superseded_by=first
    )


def sweeps(number: int) -> None:
    """No more than there are periodic jobs, since the list shows only those."""
    sweep = apps.get_model("core.Sweep")
    there = set(sweep.objects.values_list("name", flat=True))
    for name in [name for name in PERIODIC_JOBS if name not in there][:number]:
        baker.make(sweep, name=name, every=timedelta(minutes=1), started_at=NOW)


def booking_request() -> Any:
    return baker.make("learning_sessions.BookingRequest", session=session(), user=member(), status="pending")


def reminder() -> Any:
    return baker.make("learning_sessions.Reminder", session=session(), user=member())


def notification() -> Any:
    return baker.make(
        "notifications.Notification",
        user=member(),
        fact=fact(),
        type="session_update",
        kind="session_decision",
        created_at=NOW,
    )


def preference() -> Any:
    return baker.make("notifications.Preference", user=member(), kind="session_decision", changed_at=NOW)


def stored_file() -> Any:
    number = next(numbers)
    return baker.make("materials.StoredFile", name=f"file-{number}", size=1, content_type="text/plain")


def material() -> Any:
    return baker.make("materials.Material", title="Two metres of rope", type="note", content="!", uploaded_by=member())


def one_by_one(make: Callable[[], object]) -> Callable[[int], object]:
    return lambda number: [make() for _ in range(number)]


ROWS = {
    "auth.group": Rows(one_by_one(lambda: baker.make("auth.Group", name=f"Group {next(numbers)}")), "group"),
    "core.user": Rows(one_by_one(member), "carol"),
    "core.login": Rows(one_by_one(lambda: baker.make("core.Login", user=member())), "carol"),
    "core.factrecord": Rows(one_by_one(fact), "sessions"),
    "core.faileddelivery": Rows(one_by_one(failed_delivery)),
    "core.mail": Rows(one_by_one(mail), "carol"),
    "core.sweep": Rows(sweeps),
    "learning_sessions.session": Rows(one_by_one(session), "knots"),
    "learning_sessions.bookingrequest": Rows(one_by_one(booking_request), "knots"),
    "learning_sessions.reminder": Rows(one_by_one(reminder)),
    "learning_sessions.calendarfeed": Rows(
        one_by_one(lambda: baker.make("learning_sessions.CalendarFeed", user=member())), "carol"
    ),
    "learning_sessions.reasontemplate": Rows(
        one_by_one(
            lambda: baker.make("learning_sessions.ReasonTemplate", title=f"Reason {next(numbers)}", text="Because.")
        ),
        "reason",
    ),
    "materials.material": Rows(one_by_one(material), "rope"),
    "materials.storedfile": Rows(one_by_one(stored_file), "file-"),
    "notifications.notification": Rows(one_by_one(notification), "carol"),
    "notifications.preference": Rows(one_by_one(preference), "carol"),
}


def get_rows(label: str) -> Rows:
    """Return the factory of rows for a list; each new list needs an entry here."""
    assert label in ROWS, f"{label} has a list in the admin, but tests/core/portal/rows.py does not say how to fill it."
    return ROWS[label]
