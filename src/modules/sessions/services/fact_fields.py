"""The fields that all facts about a session, or about a booking request, have in common."""

from typing import TypedDict

from modules.sessions.models import BookingRequest, Session


class SessionFields(TypedDict):
    session_id: int
    title: str
    creator_id: int


class RequestFields(SessionFields):
    request_id: int
    member_id: int


def build_session_fields(session: Session) -> SessionFields:
    return {"session_id": session.pk, "title": session.public_title, "creator_id": session.creator_id}


def build_request_fields(session: Session, booking_request: BookingRequest) -> RequestFields:
    return {**build_session_fields(session), "request_id": booking_request.pk, "member_id": booking_request.user_id}
