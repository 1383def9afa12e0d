"""Calendar feeds over HTTP (docs/contract.md, "Calendars")."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response
from ninja import Query, Router

from core.accounts.authentication import MemberRequest
from core.http.json import build_json_response
from core.http.origin import get_origin
from core.http.schemas import declare_responses
from core.time import clock, icalendar
from modules.sessions import calendar_feeds
from modules.sessions.calendar_schemas import CalendarLink, CalendarQuery
from modules.sessions.models import CalendarFeed
from modules.sessions.services import calendar

router = Router(tags=["Calendar"])

FEED_PATH = "calendar.ics"
CALENDAR_CONTENT = {"text/calendar": {"schema": {"type": "string"}}}


@router.get(
    "calendar/",
    response=declare_responses(200, CalendarLink, 401),
    operation_id="get_calendar_link",
    summary="My calendar link",
)
def get_calendar_link(request: MemberRequest) -> HttpResponse:
    """The link by which calendar programs read the caller's sessions, if they have made one."""
    return _build_link_response(request, CalendarFeed.objects.filter(user=request.auth).first())


@router.post(
    "calendar/",
    response=declare_responses(201, CalendarLink, 401),
    operation_id="make_calendar_link",
    summary="Make a calendar link",
)
def make_calendar_link(request: MemberRequest) -> HttpResponse:
    """Takes the place of the link before, which works no longer. Needs no body."""
    return _build_link_response(request, calendar.make_calendar_feed(by=request.auth), status=201)


@router.delete(
    "calendar/",
    response=declare_responses(204, None, 401),
    operation_id="revoke_calendar_link",
    summary="Revoke the calendar link",
)
def revoke_calendar_link(request: MemberRequest) -> HttpResponse:
    """From now on no program reads the caller's sessions. Twice is fine."""
    calendar.revoke_calendar_feed(by=request.auth)
    return HttpResponse(status=204)


@router.get(
    FEED_PATH,
    auth=None,
    response=declare_responses(200, None, 400, 404),
    operation_id="get_calendar",
    summary="My sessions, for calendar programs",
    openapi_extra={"responses": {200: {"description": "An iCalendar file (RFC 5545).", "content": CALENDAR_CONTENT}}},
)
# Some programs send HEAD before GET.
@router.api_operation(["HEAD"], FEED_PATH, auth=None, include_in_schema=False)
def get_calendar(request: HttpRequest, query: Query[CalendarQuery]) -> HttpResponseBase | None:
    """Behind the `url` of a calendar link, whose `token` is all that it asks for. What that member offers and what they
    are a participant of, but for what ended more than a year ago. 304 for an `If-None-Match` that still holds."""
    feed = calendar_feeds.get_feed_by_token(query.token)
    events = calendar_feeds.list_calendar_events(feed.user)
    calendar.record_use(feed=feed)
    etag = icalendar.build_feed_etag(events, name=calendar_feeds.NAME)
    response = HttpResponse(
        content_type="text/calendar; charset=utf-8", headers={"Cache-Control": "private, no-cache", "ETag": etag}
    )
    answer = get_conditional_response(request, etag=etag, response=response)
    if answer is response:
        response.content = icalendar.build_feed(events, name=calendar_feeds.NAME, now=clock.now())
    return answer


def _build_link_response(request: MemberRequest, feed: CalendarFeed | None, *, status: int = 200) -> HttpResponse:
    url = f"{get_origin(request)}{reverse('api:get_calendar')}"
    return build_json_response(calendar_feeds.build_link_row(feed, url), status=status)
