"""The weeks before the story: courses that meet again and again, so that statistics have something to tell."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Literal

from demo.community import Community

Fate = Literal["cancelled", "rejected", "expired", "withdrawn"]


@dataclass(frozen=True, kw_only=True)
class Course:
    """Sessions of one subject, `days` after the beginning of a week; `weeks` says how many weeks ago each of them was.

    It is held with one guest after the other, unless its fate in that week is another.
    """

    name: str
    by: str
    title: str
    subject: str
    weeks: tuple[int, ...]
    days: int
    guests: tuple[str, ...]
    places: int = 3
    fates: dict[int, Fate]

    def guests_in(self, week: int) -> tuple[str, ...]:
        return self.guests[: 1 + (week + self.days) % len(self.guests)]


COURSES = (
    Course(
        name="clinic",
        by="john",
        title="Git Clinic",
        subject="Programming",
        weeks=(11, 10, 8, 7, 5, 4, 3, 2),
        days=1,
        guests=("jane", "bob"),
        fates={8: "cancelled"},
    ),
    Course(
        name="tandem",
        by="jane",
        title="Spanish in Tandem",
        subject="Languages",
        weeks=(11, 9, 8, 6, 4, 2, 1),
        days=3,
        guests=("alice", "john"),
        fates={6: "expired"},
    ),
    Course(
        name="endgames",
        by="bob",
        title="Chess Endgames",
        subject="Games",
        weeks=(10, 7, 5, 4, 3, 1),
        days=5,
        guests=("john", "alice"),
        places=4,
        fates={10: "withdrawn", 4: "expired"},
    ),
    Course(
        name="bread",
        by="alice",
        title="Bread for Beginners",
        subject="Cooking",
        weeks=(9, 7, 6, 3),
        days=6,
        guests=("jane", "bob"),
        places=4,
        fates={9: "rejected", 6: "cancelled"},
    ),
    Course(
        name="sketching",
        by="bob",
        title="Urban Sketching",
        subject="Art",
        weeks=(7, 5, 2),
        days=2,
        guests=("jane", "alice"),
        places=2,
        fates={5: "rejected"},
    ),
)
REASONS: dict[Fate, str] = {
    "cancelled": "I am ill.",
    "rejected": "The description does not say yet what participants will learn.",
    "withdrawn": "I have to travel in that week.",
}


def write_past(c: Community) -> None:
    """Put the sessions of the last twelve weeks into the community, each with its way through the hands of others."""
    for course in COURSES:
        for week in course.weeks:
            _write_session(c, course, week)


def _hours(number: int) -> timedelta:
    return timedelta(hours=number)


def _write_session(c: Community, course: Course, week: int) -> None:
    name = f"{course.name}-{week}"
    fate = course.fates.get(week)
    start = c.ahead(days=course.days - 7 * week - 7)
    offered = start - _hours(150)
    # Some are decided at once, some only in the morning.
    decided = offered + _hours((3, 5, 4, 8, 3, 14, 4, 6)[(week + course.days) % 8])
    c.then(
        offered, partial(c.offer, name, course.by, start, course.title, course.subject, max_participants=course.places)
    )
    if fate == "withdrawn":
        c.then(offered + _hours(1), partial(c.cancel, name, REASONS[fate]))
        return
    if fate == "rejected":
        c.then(decided, partial(c.reject, name, REASONS[fate]))
        return
    c.then(decided, partial(c.approve, name))
    if fate == "expired":
        return
    guests = course.guests_in(week)
    c.then(decided + _hours(4), partial(c.ask, name, *guests))
    c.then(decided + _hours(8), partial(c.admit, name, *guests))
    if fate == "cancelled":
        c.then(start - _hours(20), partial(c.cancel, name, REASONS[fate]))
