"""Static files, without overhead for other requests."""

from collections.abc import Callable

from asgiref.sync import async_to_sync, sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from servestatic.middleware import ServeStaticMiddleware

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class StaticFilesMiddleware:
    """Passes requests for files below `STATIC_URL` to ServeStatic, and no others.

    ServeStatic is async: as a middleware of its own it costs every request thread switches, and under WSGI an event
    loop, a third of the time of a short API response. SERVESTATIC_ROOT is not supported.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.files = ServeStaticMiddleware(sync_to_async(get_response))
        self.prefix: str = self.files.static_prefix

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if not path.startswith(self.prefix):
            return self.get_response(request)
        # In development files are looked up for each request, otherwise they are indexed at the start.
        file = self.files.find_file(path) if self.files.autorefresh else self.files.files.get(path)
        if file is None:
            return self.get_response(request)
        response: HttpResponseBase = async_to_sync(self.files.aserve)(file, request)
        return response
