"""Whether the worker still does what it should, and where people see that it does not."""

from datetime import time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from tests.core.conftest import NOW
from tests.core.jobs.conftest import NAME
from tests.portal import grant, log_in

from core.jobs.models import Sweep
from core.jobs.periodic import DAY, MINUTE, Schedule, claim_interval, read_heartbeat

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
NIGHTLY = Schedule(every=DAY, at=time(3, 17))


@pytest.fixture
def ended(only: Any) -> Any:
    """`ended(MINUTE, ago=HOUR)`: the only sweep, of each minute, ended well an hour ago."""

    def make(every: timedelta, *, ago: timedelta | None, **values: Any) -> Sweep:
        only(count_the_lanterns=Schedule(every=every, at=time(3, 17) if every == DAY else None))
        return Sweep.objects.create(
            name=NAME,
            every=every,
            started_at=NOW,
            finished_at=None if ago is None else NOW - ago,
            **values,
        )

    return make


# --- What is late -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("every", "ago", "late"),
    [
        (MINUTE, timedelta(0), False),
        (MINUTE, 3 * MINUTE, False),
        (MINUTE, 3 * MINUTE + SECOND, True),
        (DAY, DAY + HOUR, False),
        (DAY, DAY + HOUR + SECOND, True),
        # However often it begins, as one does that fails or is killed each time.
        (MINUTE, None, True),
        # Noted by a clock that has been put right since.
        (MINUTE, -2 * MINUTE, True),
        (MINUTE, -30 * SECOND, False),
    ],
)
def test_a_sweep_is_late_when_it_has_not_ended_well_for_too_long(
    *, ended: Any, every: timedelta, ago: timedelta | None, late: bool
) -> None:
    ended(every, ago=ago)

    assert read_heartbeat().late_jobs == ((NAME,) if late else ())


def test_the_last_good_end_of_any_sweep_is_told(ended: Any, only: Any) -> None:
    ended(MINUTE, ago=HOUR)
    only(count_the_lanterns=Schedule(every=MINUTE), wind_the_clock=NIGHTLY)
    Sweep.objects.create(name="wind the clock", every=DAY, started_at=NOW, finished_at=NOW - MINUTE)

    assert read_heartbeat().last_ran_at == NOW - MINUTE


def test_what_was_never_begun_is_late(only: Any) -> None:
    only(count_the_lanterns=Schedule(every=MINUTE), wind_the_clock=NIGHTLY)

    assert (read_heartbeat().last_ran_at, read_heartbeat().late_jobs) == (None, (NAME, "wind the clock"))


def test_what_is_swept_no_longer_and_turns_of_something_else_do_not_count(ended: Any) -> None:
    ended(MINUTE, ago=SECOND)
    claim_interval("letter", every=HOUR, now=NOW)
    Sweep.objects.create(name="burn the letters", every=MINUTE, started_at=NOW - DAY, finished_at=NOW - DAY)

    assert (read_heartbeat().last_ran_at, read_heartbeat().late_jobs) == (NOW - SECOND, ())


# --- In the admin -------------------------------------------------------------------------------------------------


@pytest.fixture
def moderator(make_member: Any) -> Client:
    """Somebody who may do one thing in the admin."""
    return log_in(grant(make_member("moderator", is_staff=True), "view_user"))


LIST = reverse("admin:core_sweep_changelist")
PAGES = ["/admin/", reverse("admin:core_user_changelist")]


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("address", PAGES)
def test_every_page_of_the_admin_says_that_the_worker_is_late(
    ended: Any, admin: Client, moderator: Client, address: str
) -> None:
    ended(MINUTE, ago=HOUR)

    for client in (admin, moderator):
        assert "The worker does not run </span>" in shown(client, address)


@pytest.mark.parametrize("address", PAGES)
def test_none_says_anything_while_all_is_well(ended: Any, admin: Client, moderator: Client, address: str) -> None:
    ended(MINUTE, ago=MINUTE)

    for client in (admin, moderator):
        assert "The worker " not in shown(client, address)


@pytest.mark.parametrize(
    ("number", "words"), [(1, "is late to sweep 0 </span>"), (3, "is late to sweep 0 and 2 more </span>")]
)
def test_it_says_what_is_late_where_something_still_runs(
    ended: Any, only: Any, admin: Client, number: int, words: str
) -> None:
    ended(MINUTE, ago=MINUTE)
    only(
        **{f"sweep_{each}": Schedule(every=MINUTE) for each in range(number)}, count_the_lanterns=Schedule(every=MINUTE)
    )

    assert f"The worker {words}" in shown(admin, "/admin/")


def test_who_is_not_logged_in_is_told_nothing(ended: Any) -> None:
    ended(MINUTE, ago=HOUR)

    assert "worker" not in shown(Client(), "/admin/login/").lower()


def test_the_sign_takes_one_query(ended: Any, admin: Client) -> None:
    ended(MINUTE, ago=HOUR)

    # The dashboard asks by itself how the worker fares.
    with CaptureQueriesContext(connection) as queries:
        admin.get("/admin/core/login/")

    assert len([query for query in queries if "core_sweep" in query["sql"]]) == 1


def test_the_list_has_what_is_swept_and_how_it_went(ended: Any, admin: Client) -> None:
    ended(MINUTE, ago=HOUR, taken_up=417, failed_at=NOW, error="Traceback\n  ...\nValueError: the oil is gone\n")
    claim_interval("letter", every=HOUR, now=NOW)

    page = shown(admin, LIST)

    for words in ("Count the lanterns", "Sat 13 Jan 2024, 10:00", "Sat 13 Jan 2024, 11:00", "417"):
        assert words in page
    assert "ValueError: the oil is gone" in page
    assert "Traceback" not in page
    assert "letter" not in page.lower()


def test_an_error_that_a_good_turn_has_followed_is_shown_on_the_page_of_the_sweep_only(
    ended: Any, admin: Client
) -> None:
    sweep = ended(MINUTE, ago=SECOND, failed_at=NOW - MINUTE, error="ValueError: the oil is gone")

    assert "the oil is gone" not in shown(admin, LIST)
    assert "the oil is gone" in shown(admin, reverse("admin:core_sweep_change", args=[sweep.pk]))


def test_nothing_can_be_changed_there(ended: Any, admin: Client, moderator: Client) -> None:
    sweep = ended(MINUTE, ago=SECOND)
    before = Sweep.objects.values().get()
    change, delete = (reverse(f"admin:core_sweep_{what}", args=[sweep.pk]) for what in ("change", "delete"))

    assert admin.get(reverse("admin:core_sweep_add")).status_code == 403
    assert admin.post(change, {"name": "another"}).status_code == 403
    assert admin.post(delete, {"post": "yes"}).status_code == 403
    assert moderator.get(LIST).status_code == 403
    assert Sweep.objects.values().get() == before
