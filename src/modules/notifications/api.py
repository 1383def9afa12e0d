"""Notifications over HTTP (docs/contract.md, "Notifications")."""

from typing import Any

from django.http import HttpResponse
from ninja import Query, Router

from core.accounts.authentication import MemberRequest
from core.errors import NotFound
from core.http.json import build_bounded_json_response, build_json_response
from core.http.pages import build_url_with_query
from core.http.schemas import Identifier, declare_responses
from modules.notifications.queries import lists
from modules.notifications.queries.preferences import list_channels
from modules.notifications.queries.why import explain_notification, get_own_notification
from modules.notifications.schemas import (
    MarkedOut,
    NotificationOut,
    NotificationsIn,
    PreferencesIn,
    PreferencesOut,
    UnreadCountOut,
    WhyOut,
    present_preferences,
)
from modules.notifications.services import reading
from modules.notifications.services.preferences import change_preferences

router = Router(tags=["Notifications"])

LINK_HEADER = {
    "description": 'The older ones, with every parameter kept: `<url>; rel="next"`. Only when there are any.',
    "schema": {"type": "string"},
    "example": '<http://127.0.0.1:8000/api/notifications/?limit=100&before=42>; rel="next"',
}


@router.get(
    "",
    response=declare_responses(200, list[NotificationOut], 400, 401),
    operation_id="list_notifications",
    summary="What I was told",
    openapi_extra={"responses": {200: {"headers": {"Link": LINK_HEADER}}}},
)
def list_notifications(request: MemberRequest, query: Query[NotificationsIn]) -> HttpResponse:
    """The caller's notifications, the newest first, as a bare array.

    When there are older ones, the `Link` header has the address of the next page.
    """
    # One more than asked for tells whether there is a next page.
    rows = lists.list_notifications(
        user=request.auth, limit=query.limit + 1, before=query.before, unread_only=query.unread
    )
    page = rows[: query.limit]
    response = build_bounded_json_response(page, shorten=page)
    if len(rows) > len(page):
        response["Link"] = f'<{build_url_with_query(request, before=page[-1]["id"])}>; rel="next"'
    return response


@router.get(
    "unread_count/",
    response=declare_responses(200, UnreadCountOut, 401),
    operation_id="count_unread_notifications",
    summary="How many I have not read",
)
def count_unread_notifications(request: MemberRequest) -> HttpResponse:
    """The number for the badge."""
    return build_json_response({"count": lists.count_unread(user=request.auth)})


@router.post(
    "mark_all_as_read/",
    response=declare_responses(200, MarkedOut, 401),
    operation_id="mark_all_notifications_as_read",
    summary="Mark all as read",
)
def mark_all_notifications_as_read(request: MemberRequest) -> Any:
    """Answers how many were unread until now. Takes no body."""
    return {"updated": reading.mark_all_as_read(by=request.auth)}


@router.post(
    "{int:notification_id}/mark_as_read/",
    response=declare_responses(200, NotificationOut, 401, 404),
    operation_id="mark_notification_as_read",
    summary="Mark one as read",
)
def mark_notification_as_read(request: MemberRequest, notification_id: Identifier) -> HttpResponse:
    """Answers the notification; marking it twice is fine. One that is somebody else's is a 404. Takes no body."""
    notification = reading.mark_as_read(notification_id=notification_id, by=request.auth)
    return build_json_response(lists.present_notification(notification))


@router.get(
    "{int:notification_id}/why/",
    response=declare_responses(200, WhyOut, 401, 404),
    operation_id="why_notification",
    summary="Why I was told",
)
def why_notification(request: MemberRequest, notification_id: Identifier) -> HttpResponse:
    """In one sentence: which fact brought the notification, and which preference. Somebody else's is a 404."""
    notification = get_own_notification(notification_id=notification_id, user=request.auth)
    if notification is None:
        raise NotFound("There is no such notification.")
    return build_json_response(
        {
            "why": explain_notification(notification, request.auth),
            "kind": notification.kind,
            "in_app": notification.in_app,
            "mail": notification.by_mail,
            "occurred_at": notification.fact.occurred_at,
        }
    )


@router.get(
    "preferences/",
    response=declare_responses(200, PreferencesOut, 401),
    operation_id="get_notification_preferences",
    summary="Where I am told of what",
)
def get_notification_preferences(request: MemberRequest) -> HttpResponse:
    """For every kind of news, whether it is shown in the app and whether it is mailed; the defaults, until changed."""
    return build_json_response(present_preferences(list_channels(request.auth)))


@router.put(
    "preferences/",
    response=declare_responses(200, PreferencesOut, 400, 401, 413, 415),
    operation_id="change_notification_preferences",
    summary="Choose where I am told of what",
)
def change_notification_preferences(request: MemberRequest, payload: PreferencesIn) -> HttpResponse:
    """Any of the kinds, each with any of the two; answers all of them. It holds for what is told from now on, and
    for mails that wait.
    """
    user = request.auth
    channels = change_preferences(user=user, choices=payload.get_choices(), by=user)
    return build_json_response(present_preferences(channels))
