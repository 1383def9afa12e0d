"""The heartbeat of the worker, and how the portal shows it."""

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
def make_job(declare_jobs: Any) -> Any:
    """`make_job(MINUTE, ago=HOUR)`: the only job, with an interval of a minute, last succeeded an hour ago."""

    def make(every: timedelta, *, ago: timedelta | None, **values: Any) -> Sweep:
        declare_jobs(count_the_lanterns=Schedule(every=every, at=time(3, 17) if every == DAY else None))
        return Sweep.objects.create(
            name=NAME,
            every=every,
            started_at=NOW,
            finished_at=None if ago is None else NOW - ago,
            **values,
        )

    return make


# --- Late jobs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("every", "ago", "late"),
    [
        (MINUTE, timedelta(0), False),
        (MINUTE, 3 * MINUTE, False),
        (MINUTE, 3 * MINUTE + SECOND, True),
        (DAY, DAY + HOUR, False),
        (DAY, DAY + HOUR + SECOND, True),
        # Never succeeded, although it was started.
        (MINUTE, None, True),
        # Recorded by a clock that has been corrected since.
        (MINUTE, -2 * MINUTE, True),
        (MINUTE, -30 * SECOND, False),
    ],
)
def test_a_job_is_late_when_its_last_success_is_too_long_ago(
    *, make_job: Any, every: timedelta, ago: timedelta | None, late: bool
) -> None:
    make_job(every, ago=ago)

    assert read_heartbeat().late_jobs == ((NAME,) if late else ())


def test_the_heartbeat_has_the_last_success_of_any_job(make_job: Any, declare_jobs: Any) -> None:
    make_job(MINUTE, ago=HOUR)
    declare_jobs(count_the_lanterns=Schedule(every=MINUTE), wind_the_clock=NIGHTLY)
    Sweep.objects.create(name="wind the clock", every=DAY, started_at=NOW, finished_at=NOW - MINUTE)

    assert read_heartbeat().last_ran_at == NOW - MINUTE


def test_a_job_that_never_ran_is_late(declare_jobs: Any) -> None:
    declare_jobs(count_the_lanterns=Schedule(every=MINUTE), wind_the_clock=NIGHTLY)

    assert (read_heartbeat().last_ran_at, read_heartbeat().late_jobs) == (None, (NAME, "wind the clock"))


def test_removed_jobs_and_interval_claims_are_not_in_the_heartbeat(make_job: Any) -> None:
    make_job(MINUTE, ago=SECOND)
    claim_interval("letter", every=HOUR, now=NOW)
    Sweep.objects.create(name="burn the letters", every=MINUTE, started_at=NOW - DAY, finished_at=NOW - DAY)

    assert (read_heartbeat().last_ran_at, read_heartbeat().late_jobs) == (NOW - SECOND, ())


# --- The portal ---------------------------------------------------------------------------------------------------


@pytest.fixture
def moderator(make_member: Any) -> Client:
    """Somebody who may do one thing in the admin."""
    return log_in(grant(make_member("moderator", is_staff=True), "view_user"))


LIST = reverse("admin:core_sweep_changelist")
PAGES = ["/admin/", reverse("admin:core_user_changelist")]


def load_page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("address", PAGES)
def test_every_page_of_the_portal_warns_when_the_worker_does_not_run(
    make_job: Any, admin: Client, moderator: Client, address: str
) -> None:
    make_job(MINUTE, ago=HOUR)

    for client in (admin, moderator):
        assert "The worker does not run </span>" in load_page(client, address)


@pytest.mark.parametrize("address", PAGES)
def test_no_page_warns_while_no_job_is_late(make_job: Any, admin: Client, moderator: Client, address: str) -> None:
    make_job(MINUTE, ago=MINUTE)

    for client in (admin, moderator):
        assert "The worker " not in load_page(client, address)


@pytest.mark.parametrize(
    ("number", "words"), [(1, "is late to sweep 0 </span>"), (3, "is late to sweep 0 and 2 more </span>")]
)
def test_the_warning_names_late_jobs_while_others_run(
    make_job: Any, declare_jobs: Any, admin: Client, number: int, words: str
) -> None:
    make_job(MINUTE, ago=MINUTE)
    declare_jobs(
        **{f"sweep_{each}": Schedule(every=MINUTE) for each in range(number)}, count_the_lanterns=Schedule(every=MINUTE)
    )

    assert f"The worker {words}" in load_page(admin, "/admin/")


def test_the_login_page_has_no_warning(make_job: Any) -> None:
    make_job(MINUTE, ago=HOUR)

    assert "worker" not in load_page(Client(), "/admin/login/").lower()


def test_the_warning_takes_one_query(make_job: Any, admin: Client) -> None:
    make_job(MINUTE, ago=HOUR)

    # Not the dashboard, which reads the heartbeat itself.
    with CaptureQueriesContext(connection) as queries:
        admin.get("/admin/core/login/")

    assert len([query for query in queries if "core_sweep" in query["sql"]]) == 1


def test_the_list_has_jobs_with_their_last_run_and_error(make_job: Any, admin: Client) -> None:
    make_job(MINUTE, ago=HOUR, taken_up=417, failed_at=NOW, error="Traceback\n  ...\nValueError: the oil is gone\n")
    claim_interval("letter", every=HOUR, now=NOW)

    page = load_page(admin, LIST)

    for words in ("Count the lanterns", "Sat 13 Jan 2024, 10:00", "Sat 13 Jan 2024, 11:00", "417"):
        assert words in page
    assert "ValueError: the oil is gone" in page
    assert "Traceback" not in page
    assert "letter" not in page.lower()


def test_an_error_before_the_last_success_is_on_the_page_of_the_job_only(make_job: Any, admin: Client) -> None:
    job = make_job(MINUTE, ago=SECOND, failed_at=NOW - MINUTE, error="ValueError: the oil is gone")

    assert "the oil is gone" not in load_page(admin, LIST)
    assert "the oil is gone" in load_page(admin, reverse("admin:core_sweep_change", args=[job.pk]))


def test_jobs_are_read_only(make_job: Any, admin: Client, moderator: Client) -> None:
    job = make_job(MINUTE, ago=SECOND)
    before = Sweep.objects.values().get()
    change, delete = (reverse(f"admin:core_sweep_{what}", args=[job.pk]) for what in ("change", "delete"))

    assert admin.get(reverse("admin:core_sweep_add")).status_code == 403
    assert admin.post(change, {"name": "another"}).status_code == 403
    assert admin.post(delete, {"post": "yes"}).status_code == 403
    assert moderator.get(LIST).status_code == 403
    assert Sweep.objects.values().get() == before
