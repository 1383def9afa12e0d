"""The time zone of the portal's pages."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from core.accounts.models import User
from core.time.zones import load_zone


class MemberTimeZoneMiddleware:
    """Sets the time zone of the member who is logged in, for all pages of the portal."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.prefix = reverse("admin:index")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(self.prefix) or not isinstance(request.user, User):
            return self.get_response(request)
        with timezone.override(load_zone(request.user.timezone)):
            return self.get_response(request)
