"""The fields that every fact about a session, and about a request, begins with."""

from typing import TypedDict

from modules.sessions.models import BookingRequest, Session


class AboutSession(TypedDict):
    session_id: int
    title: str
    creator_id: int


class AboutRequest(AboutSession):
    request_id: int
    member_id: int


def about(session: Session) -> AboutSession:
    return {"session_id": session.pk, "title": session.told_title, "creator_id": session.creator_id}


def about_request(session: Session, request: BookingRequest) -> AboutRequest:
    return {**about(session), "request_id": request.pk, "member_id": request.user_id}
