"""The sessions that a member offers or attends, in full, in pages that fit into one response."""

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
from modules.sessions.queries.sessions import ORDERINGS, build_detail_rows, select_visible_sessions
from modules.sessions.schemas import MAX_REQUESTS_SHOWN

# The minimum size as JSON of a session, and of one booking request, without their texts.
MIN_SESSION_BYTES, MIN_REQUEST_BYTES = 500, 200
# The size of the response without the sessions.
FRAME_BYTES = len(b'{"created":[],"joined":[]}')


@dataclass(frozen=True, kw_only=True)
class MySessionsPage:
    """A page of both lists, encoded; `next` has the cursors of the following page, `None` if this is the last."""

    created: Sequence[orjson.Fragment]
    joined: Sequence[orjson.Fragment]
    next: dict[str, int] | None


@dataclass(frozen=True, kw_only=True)
class _ListPage:
    """The next sessions of one list; `is_last` if there are no others after them."""

    sessions: Sequence[Session]
    is_last: bool


def load_my_sessions(
    viewer: Viewer, origin: str, *, limit: int, created_before: int | None, joined_before: int | None
) -> MySessionsPage:
    """Load at most `limit` sessions of each list, the latest start first, in a constant number of queries.

    Each list continues after the session that its cursor `..._before` names. If both are too large for one response,
    they are truncated at the same depth. Raises `Invalid` for a cursor whose session does not exist.
    """
    created = _load_next(Session.objects.filter(creator=viewer.user), "created_before", created_before, limit, viewer)
    joined = _load_next(_select_joined(viewer), "joined_before", joined_before, limit, viewer)
    # Interleaved, so that a long list does not displace the other.
    interleaved = [each for each in chain(*zip_longest(created.sessions, joined.sessions)) if each is not None]
    loaded = _take_fitting(interleaved, _estimate_sizes(interleaved, viewer))
    encoded = [encode(row) for row in build_detail_rows(loaded, viewer, origin, note_characters=NOTE_EXCERPT_LENGTH)]
    shown = _take_fitting(loaded, [len(each) for each in encoded])
    fragments = {session.pk: orjson.Fragment(each) for session, each in zip(loaded, encoded, strict=True)}
    shown_ids = {session.pk for session in shown}
    cursors = {"created_before": created_before, "joined_before": joined_before}
    pages, is_last = {}, True
    for name, listed in (("created", created), ("joined", joined)):
        page = [session.pk for session in listed.sessions if session.pk in shown_ids]
        pages[name] = [fragments[pk] for pk in page]
        cursors[f"{name}_before"] = page[-1] if page else cursors[f"{name}_before"]
        is_last = is_last and listed.is_last and len(page) == len(listed.sessions)
    next_parameters = {name: value for name, value in cursors.items() if value is not None}
    return MySessionsPage(created=pages["created"], joined=pages["joined"], next=None if is_last else next_parameters)


def _select_joined(viewer: Viewer) -> "QuerySet[Session]":
    return Session.objects.filter(
        booking_requests__user=viewer.user, booking_requests__status=BookingRequest.Status.APPROVED
    )


def _load_next(sessions: "QuerySet[Session]", name: str, before: int | None, limit: int, viewer: Viewer) -> _ListPage:
    if before is not None:
        date = select_visible_sessions(viewer).filter(pk=before).values_list("date", flat=True).first()
        if date is None:
            raise Invalid({name: ["There is no such session any more: begin anew, without this."]})
        sessions = sessions.filter(Q(date__lt=date) | Q(pk__lt=before), date__lte=date)
    found = list(sessions.select_related("creator").order_by(*ORDERINGS["-date"])[: limit + 1])
    return _ListPage(sessions=found[:limit], is_last=len(found) <= limit)


def _take_fitting(sessions: Sequence[Session], sizes: Iterable[int]) -> list[Session]:
    """Return the first sessions that fit into one response by their sizes in bytes; at least one."""
    totals = accumulate(sizes, lambda total, size: total + size + len(b","), initial=FRAME_BYTES)
    fitting = sum(1 for _ in takewhile(lambda total: total <= MAX_RESPONSE_BYTES, totals)) - 1
    return list(sessions[: max(fitting, 1)])


def _estimate_sizes(sessions: Sequence[Session], viewer: Viewer) -> list[int]:
    """Estimate the minimum size of each session in bytes, to load little more than can be sent. Two queries."""
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
    """Estimate the size of each session's participants, and of the requests that are shown to those who manage it."""
    names = Octets("user__username") + Octets("user__first_name") + Octets("user__last_name")
    asked = names + Octets("message")
    is_in = Q(status=BookingRequest.Status.APPROVED)
    requests = BookingRequest.objects.filter(session__in=session_ids).order_by().values("session_id")
    rows = requests.annotate(
        participants=Count("pk", filter=is_in),
        participant_bytes=Sum(names, filter=is_in, default=0),
        requests=Count("pk"),
        request_bytes=Sum(asked),
        largest=Max(asked),
    ).values_list("session_id", "participants", "participant_bytes", "requests", "request_bytes", "largest")
    return {
        session_id: (
            participant_bytes + participants * MIN_REQUEST_BYTES,
            # If not all of them are shown, an upper bound.
            min(request_bytes, MAX_REQUESTS_SHOWN * largest) + min(requests, MAX_REQUESTS_SHOWN) * MIN_REQUEST_BYTES,
        )
        for session_id, participants, participant_bytes, requests, request_bytes, largest in rows
    }
