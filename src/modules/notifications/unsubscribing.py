"""The page behind unsubscribe links: GET shows, POST unsubscribes (RFC 8058), without a login."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from core.errors import NotFound
from core.http.frontend import build_home_url
from modules.notifications.queries.preferences import list_channels
from modules.notifications.services.preferences import read_unsubscribe_token, stop_mail


# The token authenticates: a mail program sends neither a cookie nor a CSRF token.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest) -> HttpResponse:
    try:
        subscription = read_unsubscribe_token(request.GET.get("token", ""))
    except NotFound as error:
        return _render_page(request, {"problem": error.message}, status=404)
    done = request.method == "POST"
    if done:
        stop_mail(subscription=subscription, everything="everything" in request.POST)
    preferences = list_channels(subscription.user)
    context = {
        "done": done,
        "kinds": [kind.label for kind in subscription.kinds if preferences[kind].mail is not done],
        "other_mail": any(channels.mail for channels in preferences.values()),
    }
    return _render_page(request, context)


def _render_page(request: HttpRequest, context: dict[str, object], *, status: int = 200) -> HttpResponse:
    context["app"] = build_home_url()
    response = render(request, "notifications/unsubscribe.html", context, status=status)
    # The URL contains a token, which must not leak to other sites.
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


urlpatterns = [path("", unsubscribe, name="unsubscribe")]
