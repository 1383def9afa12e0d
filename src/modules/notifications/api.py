"""Notifications over HTTP (docs/contract.md, "Notifications")."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from core.accounts.authentication import MemberRequest
from core.http.json import json_response
from core.http.schemas import Identifier, answers_of
from modules.notifications import queries, services
from modules.notifications.schemas import MarkedOut, NotificationOut, NotificationsIn, UnreadCountOut

router = Router(tags=["Notifications"])

LINK_HEADER = {
    "description": 'The older ones, with every parameter kept: `<url>; rel="next"`. Only when there are any.',
    "schema": {"type": "string"},
    "example": '<http://127.0.0.1:8000/api/notifications/?limit=100&before=42>; rel="next"',
}


@router.get(
    "",
    response=answers_of(200, list[NotificationOut], 400, 401),
    operation_id="list_notifications",
    summary="What I was told",
    openapi_extra={"responses": {200: {"headers": {"Link": LINK_HEADER}}}},
)
def list_notifications(request: MemberRequest, query: Query[NotificationsIn]) -> HttpResponse:
    """The caller's notifications, the newest first, as a bare array.

    When there are older ones, the `Link` header has the address of the next page.
    """
    # One more than asked for tells whether there is a next page.
    rows = queries.list_notifications(
        user=request.auth, limit=query.limit + 1, before=query.before, unread_only=query.unread
    )
    page = rows[: query.limit]
    response = json_response(page)
    if len(rows) > len(page):
        response["Link"] = f'<{_older_than(request, page[-1]["id"])}>; rel="next"'
    return response


@router.get(
    "unread_count/",
    response=answers_of(200, UnreadCountOut, 401),
    operation_id="count_unread_notifications",
    summary="How many I have not read",
)
def count_unread_notifications(request: MemberRequest) -> HttpResponse:
    """The number for the badge."""
    return json_response({"count": queries.count_unread(user=request.auth)})


@router.post(
    "mark_all_as_read/",
    response=answers_of(200, MarkedOut, 401),
    operation_id="mark_all_notifications_as_read",
    summary="Mark all as read",
)
def mark_all_notifications_as_read(request: MemberRequest) -> Any:
    """Answers how many were unread until now. Takes no body."""
    return {"updated": services.mark_all_as_read(by=request.auth)}


@router.post(
    "{int:notification_id}/mark_as_read/",
    response=answers_of(200, NotificationOut, 401, 404),
    operation_id="mark_notification_as_read",
    summary="Mark one as read",
)
def mark_notification_as_read(request: MemberRequest, notification_id: Identifier) -> HttpResponse:
    """Answers the notification; marking it twice is fine. One that is somebody else's is a 404. Takes no body."""
    notification = services.mark_as_read(notification_id=notification_id, by=request.auth)
    return json_response(queries.present_notification(notification))


def _older_than(request: HttpRequest, notification_id: int) -> str:
    parameters = request.GET.copy()
    parameters["before"] = str(notification_id)
    return request.build_absolute_uri(f"{request.path}?{parameters.urlencode()}")
