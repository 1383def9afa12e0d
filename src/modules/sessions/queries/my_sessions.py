"""The sessions that a member offers or attends, in full, in parts that fit into one answer."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, takewhile, zip_longest

import orjson
from django.db.models import Count, Max, Q, QuerySet, Sum

from core.database.functions import Octets
from core.errors import Invalid
from core.http.json import MAX_RESPONSE_BYTES, encode
from core.text.limits import NOTE_EXCERPT_LENGTH
from modules.sessions.events import SizesOfMaterials
from modules.sessions.models import BookingRequest, Session
from modules.sessions.policy import Viewer, can_manage
from modules.sessions.queries.bookings import MAX_REQUESTS_SHOWN
from modules.sessions.queries.sessions import ORDERINGS, build_detail_rows, select_visible_sessions

# The least size as JSON of a session, and of one booking request, without their texts.
MIN_SESSION_BYTES, MIN_REQUEST_BYTES = 500, 200
# The size of the answer around the sessions.
FRAME_BYTES = len(b'{"created":[],"joined":[]}')


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of both lists, encoded; `next` has the parameters for the following part, `None` if this is the last."""

    created: Sequence[orjson.Fragment]
    joined: Sequence[orjson.Fragment]
    next: dict[str, int] | None


@dataclass(frozen=True, kw_only=True)
class _Listed:
    """The next sessions of one list; `is_all` where no others come after them."""

    sessions: Sequence[Session]
    is_all: bool


def my_sessions(
    viewer: Viewer, origin: str, *, limit: int, created_before: int | None, joined_before: int | None
) -> Part:
    """At most `limit` sessions of each list, the latest start first, in as many queries for one as for many.

    Each list goes on after the session that its `..._before` names. Where both are too much for one answer, they end
    at the same depth. Raises `Invalid` for a session that is not there.
    """
    created = _load_next(Session.objects.filter(creator=viewer.user), "created_before", created_before, limit, viewer)
    joined = _load_next(_select_joined(viewer), "joined_before", joined_before, limit, viewer)
    # Alternating, so that a long list does not displace the other.
    in_turn = [each for each in chain(*zip_longest(created.sessions, joined.sessions)) if each is not None]
    loaded = _take_fitting(in_turn, _estimate_sizes(in_turn, viewer))
    encoded = [encode(row) for row in build_detail_rows(loaded, viewer, origin, note_characters=NOTE_EXCERPT_LENGTH)]
    shown = _take_fitting(loaded, [len(each) for each in encoded])
    fragments = {session.pk: orjson.Fragment(each) for session, each in zip(loaded, encoded, strict=True)}
    shown_ids = {session.pk for session in shown}
    cursors = {"created_before": created_before, "joined_before": joined_before}
    parts, is_all = {}, True
    for name, listed in (("created", created), ("joined", joined)):
        part = [session.pk for session in listed.sessions if session.pk in shown_ids]
        parts[name] = [fragments[pk] for pk in part]
        cursors[f"{name}_before"] = part[-1] if part else cursors[f"{name}_before"]
        is_all = is_all and listed.is_all and len(part) == len(listed.sessions)
    known = {name: value for name, value in cursors.items() if value is not None}
    return Part(created=parts["created"], joined=parts["joined"], next=None if is_all else known)


def _select_joined(viewer: Viewer) -> "QuerySet[Session]":
    return Session.objects.filter(
        booking_requests__user=viewer.user, booking_requests__status=BookingRequest.Status.APPROVED
    )


def _load_next(sessions: "QuerySet[Session]", name: str, before: int | None, limit: int, viewer: Viewer) -> _Listed:
    if before is not None:
        date = select_visible_sessions(viewer).filter(pk=before).values_list("date", flat=True).first()
        if date is None:
            raise Invalid({name: ["There is no such session any more: begin anew, without this."]})
        sessions = sessions.filter(Q(date__lt=date) | Q(pk__lt=before), date__lte=date)
    found = list(sessions.select_related("creator").order_by(*ORDERINGS["-date"])[: limit + 1])
    return _Listed(sessions=found[:limit], is_all=len(found) <= limit)


def _take_fitting(sessions: Sequence[Session], sizes: Iterable[int]) -> list[Session]:
    """The first sessions that fit into one answer by their sizes in bytes; at least one."""
    totals = accumulate(sizes, lambda total, size: total + size + len(b","), initial=FRAME_BYTES)
    fitting = sum(1 for _ in takewhile(lambda total: total <= MAX_RESPONSE_BYTES, totals)) - 1
    return list(sessions[: max(fitting, 1)])


def _estimate_sizes(sessions: Sequence[Session], viewer: Viewer) -> list[int]:
    """An estimate of each session's size in bytes, so that hardly more is read than can be sent. Two queries."""
    session_ids = [session.pk for session in sessions]
    materials = SizesOfMaterials(session_ids=session_ids, note_characters=NOTE_EXCERPT_LENGTH).ask() if sessions else {}
    requests = _estimate_request_sizes(session_ids) if sessions else {}
    return [
        MIN_SESSION_BYTES
        + sum(len(text.encode()) for text in (session.title, session.description, session.subject))
        + materials.get(session.pk, 0)
        + sum(requests.get(session.pk, (0, 0))[: 2 if can_manage(session, viewer) else 1])
        for session in sessions
    ]


def _estimate_request_sizes(session_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """What the participants of each session take, and what the requests do that those see who run it."""
    names = Octets("user__username") + Octets("user__first_name") + Octets("user__last_name")
    asked = names + Octets("message")
    is_in = Q(status=BookingRequest.Status.APPROVED)
    requests = BookingRequest.objects.filter(session__in=session_ids).order_by().values("session_id")
    rows = requests.annotate(
        people=Count("pk", filter=is_in),
        of_people=Sum(names, filter=is_in, default=0),
        requests=Count("pk"),
        of_requests=Sum(asked),
        longest=Max(asked),
    ).values_list("session_id", "people", "of_people", "requests", "of_requests", "longest")
    return {
        session_id: (
            of_people + people * MIN_REQUEST_BYTES,
            # Where not all of them are shown, as much as those might be.
            min(of_requests, MAX_REQUESTS_SHOWN * longest) + min(requests, MAX_REQUESTS_SHOWN) * MIN_REQUEST_BYTES,
        )
        for session_id, people, of_people, requests, of_requests, longest in rows
    }
