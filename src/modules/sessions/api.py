"""Sessions over HTTP (docs/contract.md, "Sessions" and "Booking")."""

from django.http import HttpResponse
from ninja import Path, Query, Router

from core.accounts.authentication import MemberRequest
from core.http.json import MAX_RESPONSE_BYTES, build_bounded_json_response, build_json_response
from core.http.origin import get_origin
from core.http.pages import build_page, build_url_with_query, get_page_slice
from core.http.schemas import Identifier, declare_responses
from core.text.limits import NOTE_EXCERPT_LENGTH
from core.text.sizes import format_size
from modules.sessions.models import Session
from modules.sessions.policy import build_viewer, require_manager
from modules.sessions.queries import bookings
from modules.sessions.queries import my_sessions as mine
from modules.sessions.queries import sessions as queries
from modules.sessions.schemas import (
    MAX_MY_SESSIONS,
    BookingRequestOut,
    BookingRequestPage,
    BookingRequestQuery,
    CancelIn,
    JoinIn,
    MySessions,
    MySessionsQuery,
    ParticipantOut,
    RequesterIn,
    RoleIn,
    SessionChanges,
    SessionCreated,
    SessionDetail,
    SessionIn,
    SessionPage,
    SessionQuery,
)
from modules.sessions.services import booking, offering, running
from modules.sessions.services.transitions import EARLIEST_START_MINUTES

router = Router(tags=["Sessions"])
SessionId = Path[Identifier]
BOOKING = ["Booking"]
LINK_HEADER = {
    "description": 'The next part, with every parameter kept: `<url>; rel="next"`. Only when there is one.',
    "schema": {"type": "string"},
    "example": '<http://127.0.0.1:8000/api/sessions/my_sessions/?created_before=42&joined_before=17>; rel="next"',
}


@router.get(
    "",
    response=declare_responses(200, SessionPage, 400, 401, 404),
    operation_id="list_sessions",
    summary="Find sessions",
)
def list_sessions(request: MemberRequest, query: Query[SessionQuery]) -> HttpResponse:
    """The sessions that the caller may see, the latest start first. A page past the end is a 404."""
    viewer = build_viewer(request.auth)
    filters = queries.Filters(**query.model_dump(exclude={"ordering", "page", "page_size"}))
    sessions = queries.select_filtered_sessions(viewer, filters)
    count = sessions.count()
    part = get_page_slice(page=query.page, page_size=query.page_size, count=count)
    rows = queries.build_list_rows(sessions, query.ordering, part, viewer)
    return build_json_response(
        build_page(request, page=query.page, page_size=query.page_size, count=count, results=rows)
    )


@router.post(
    "",
    response=declare_responses(201, SessionCreated, 400, 401, 413, 415),
    operation_id="create_session",
    summary="Offer a session",
)
def create_session(request: MemberRequest, payload: SessionIn) -> HttpResponse:
    """The session waits for a moderator (`pending_approval`) until it is approved or rejected."""
    session = offering.offer_session(values=payload.get_values(), date=payload.get_date(), by=request.auth)
    return build_json_response(queries.build_created_row(session, build_viewer(request.auth)), status=201)


@router.get(
    "my_sessions/",
    response=declare_responses(200, MySessions, 400, 401),
    operation_id="my_sessions",
    summary="My sessions",
    description=(
        "What the caller offers and what they are a participant of, each with the latest start first and in full, but"
        f" that\nnotes are cut to {NOTE_EXCERPT_LENGTH} characters.\n\n"
        f"At most {MAX_MY_SESSIONS} of each list; fewer, where the answer would be larger than"
        f" {format_size(MAX_RESPONSE_BYTES)}. When there are more, the `Link` header\nhas the address of the next part."
    ),
    openapi_extra={"responses": {200: {"headers": {"Link": LINK_HEADER}}}},
)
def my_sessions(request: MemberRequest, query: Query[MySessionsQuery]) -> HttpResponse:
    page = mine.load_my_sessions(
        build_viewer(request.auth),
        get_origin(request),
        limit=query.limit,
        created_before=query.created_before,
        joined_before=query.joined_before,
    )
    response = build_json_response({"created": page.created, "joined": page.joined})
    if page.next is not None:
        response["Link"] = f'<{build_url_with_query(request, **page.next)}>; rel="next"'
    return response


@router.get(
    "{int:session_id}/",
    response=declare_responses(200, SessionDetail, 401, 404),
    operation_id="get_session",
    summary="A session in full",
)
def get_session(request: MemberRequest, session_id: SessionId) -> HttpResponse:
    """404 for a session that the caller may not see: one never approved, or hidden, that is not theirs."""
    return _build_detail_response(request, queries.get_visible_session(session_id, build_viewer(request.auth)))


@router.put(
    "{int:session_id}/",
    response=declare_responses(200, SessionDetail, 400, 401, 403, 404, 413, 415),
    operation_id="update_session",
    summary="Change a session",
)
def update_session(request: MemberRequest, session_id: SessionId, payload: SessionChanges) -> HttpResponse:
    """By its creator or a moderator. All of the changes are made, or none.

    Final sessions cannot be edited, the date, duration and level of an ongoing one neither, and `max_participants`
    cannot go below those who are in. A title, description or subject changed after the approval is marked for a
    moderator's second look.
    """
    session = offering.edit_session(
        session_id=session_id,
        values=payload.get_values(),
        date=payload.get_changed_date(),
        status=payload.get_target_status(),
        reason=payload.reason or "",
        by=request.auth,
    )
    return _build_detail_response(request, session)


@router.delete(
    "{int:session_id}/",
    response=declare_responses(204, None, 400, 401, 403, 404),
    operation_id="delete_session",
    summary="Delete a session",
)
def delete_session(request: MemberRequest, session_id: SessionId) -> HttpResponse:
    """By its creator or a moderator, while nobody is in; after that it can only be cancelled."""
    offering.delete_session(session_id=session_id, by=request.auth)
    return HttpResponse(status=204)


@router.post(
    "{int:session_id}/cancel/",
    response=declare_responses(200, SessionDetail, 400, 401, 403, 404, 413, 415),
    operation_id="cancel_session",
    summary="Cancel a session",
)
def cancel_session(request: MemberRequest, session_id: SessionId, payload: CancelIn | None = None) -> HttpResponse:
    """By its creator or a moderator; everyone concerned is told. The body is optional.

    For a moderator and a session that waits for approval this is its rejection, which needs a `reason`.
    """
    reason = (payload.reason if payload else None) or ""
    return _build_detail_response(
        request, running.cancel_session(session_id=session_id, by=request.auth, reason=reason)
    )


@router.post(
    "{int:session_id}/start/",
    response=declare_responses(200, SessionDetail, 400, 401, 403, 404),
    operation_id="start_session",
    summary="Start a session",
    description=(
        f"By its creator, from {EARLIEST_START_MINUTES} minutes before its time, with somebody in."
        " At its time it starts by itself."
    ),
)
def start_session(request: MemberRequest, session_id: SessionId) -> HttpResponse:
    return _build_detail_response(request, running.start_session(session_id=session_id, by=request.auth))


@router.post(
    "{int:session_id}/end/",
    response=declare_responses(200, SessionDetail, 400, 401, 403, 404),
    operation_id="end_session",
    summary="End a session",
)
def end_session(request: MemberRequest, session_id: SessionId) -> HttpResponse:
    """By its creator, while it is going on. When its time is over it ends by itself."""
    return _build_detail_response(request, running.end_session(session_id=session_id, by=request.auth))


@router.post(
    "{int:session_id}/join/",
    response=declare_responses(201, BookingRequestOut, 400, 401, 404, 413, 415),
    operation_id="join_session",
    summary="Ask to join",
    tags=BOOKING,
)
def join_session(request: MemberRequest, session_id: SessionId, payload: JoinIn | None = None) -> HttpResponse:
    """A booking request that waits for the creator. After a rejection the same request waits again.

    The body and its `message` are optional. A participant gets `{"error": "Already joined"}`.
    """
    message = (payload.message if payload else None) or ""
    booked = booking.request_booking(session_id=session_id, message=message, by=request.auth)
    return build_json_response(bookings.build_request_row(booked, build_viewer(request.auth)), status=201)


@router.post(
    "{int:session_id}/leave/",
    response=declare_responses(200, SessionDetail, 400, 401, 404),
    operation_id="leave_session",
    summary="Leave, or withdraw a request",
    tags=BOOKING,
)
def leave_session(request: MemberRequest, session_id: SessionId) -> HttpResponse:
    """Before the start. The place is free at once; the creator is told when a participant leaves."""
    return _build_detail_response(request, booking.leave_session(session_id=session_id, by=request.auth))


@router.post(
    "{int:session_id}/approve_request/",
    response=declare_responses(200, BookingRequestOut, 400, 401, 403, 404, 413, 415),
    operation_id="approve_request",
    summary="Let a requester in",
    tags=BOOKING,
)
def approve_request(request: MemberRequest, session_id: SessionId, payload: RequesterIn) -> HttpResponse:
    """By the creator or a moderator, while the session is open and has room. Twice is fine."""
    decided = booking.approve_request(session_id=session_id, requester_id=payload.user_id, by=request.auth)
    return build_json_response(bookings.build_request_row(decided, build_viewer(request.auth)))


@router.post(
    "{int:session_id}/reject_request/",
    response=declare_responses(200, BookingRequestOut, 400, 401, 403, 404, 413, 415),
    operation_id="reject_request",
    summary="Turn a requester down",
    tags=BOOKING,
)
def reject_request(request: MemberRequest, session_id: SessionId, payload: RequesterIn) -> HttpResponse:
    """By the creator or a moderator. Twice is fine; one who is in already has to be removed instead."""
    decided = booking.reject_request(session_id=session_id, requester_id=payload.user_id, by=request.auth)
    return build_json_response(bookings.build_request_row(decided, build_viewer(request.auth)))


@router.get(
    "{int:session_id}/booking_requests/",
    response=declare_responses(200, BookingRequestPage, 400, 401, 403, 404),
    operation_id="list_booking_requests",
    summary="Who asked to join",
    tags=BOOKING,
)
def list_booking_requests(
    request: MemberRequest, session_id: SessionId, query: Query[BookingRequestQuery]
) -> HttpResponse:
    """All requests of a session, for its creator and moderators; 403 for others. Those that wait come first, then the
    others, the newest of each first. A page past the end is a 404."""
    viewer = build_viewer(request.auth)
    session = queries.get_visible_session(session_id, viewer)
    require_manager(session, viewer)
    requests = bookings.select_requests(session, query.status)
    count = requests.count()
    part = get_page_slice(page=query.page, page_size=query.page_size, count=count)
    rows = bookings.load_request_page(session, requests, part, viewer)
    return build_json_response(
        build_page(request, page=query.page, page_size=query.page_size, count=count, results=rows)
    )


@router.delete(
    "{int:session_id}/participants/{int:user_id}/",
    response=declare_responses(204, None, 400, 401, 403, 404),
    operation_id="remove_participant",
    summary="Remove a participant",
    tags=BOOKING,
)
def remove_participant(request: MemberRequest, session_id: SessionId, user_id: Path[Identifier]) -> HttpResponse:
    """By the creator or a moderator, before the start; that member is told and may ask again."""
    booking.remove_participant(session_id=session_id, participant_id=user_id, by=request.auth)
    return HttpResponse(status=204)


@router.post(
    "{int:session_id}/participants/{int:user_id}/role/",
    response=declare_responses(200, ParticipantOut, 400, 401, 403, 404, 413, 415),
    operation_id="change_role",
    summary="Make a participant a tutor",
    tags=BOOKING,
)
def change_role(
    request: MemberRequest, session_id: SessionId, user_id: Path[Identifier], payload: RoleIn
) -> HttpResponse:
    """By the creator. A tutor may add materials; `student` takes that back."""
    changed = booking.change_role(session_id=session_id, participant_id=user_id, role=payload.role, by=request.auth)
    return build_json_response(bookings.build_participant_row(changed, build_viewer(request.auth)))


def _build_detail_response(request: MemberRequest, session: Session) -> HttpResponse:
    row = queries.build_detail_row(session, build_viewer(request.auth), get_origin(request))
    return build_bounded_json_response(row, shorten=row["booking_requests"])
