"""Static files, without a detour for everything else."""

from collections.abc import Callable

from asgiref.sync import async_to_sync, sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from servestatic.middleware import ServeStaticMiddleware

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class StaticFilesMiddleware:
    """Hands to ServeStatic the files that lie below `STATIC_URL`, and nothing else.

    ServeStatic is a coroutine: as a middleware of its own it costs every request changes of thread, and under WSGI a
    loop as well, which is a third of the time that the API takes for a short answer. What it would serve besides, from
    SERVESTATIC_ROOT, is passed over.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.files = ServeStaticMiddleware(sync_to_async(get_response))
        self.prefix: str = self.files.static_prefix

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if not path.startswith(self.prefix):
            return self.get_response(request)
        # Looked for as the files change while somebody develops, and known from the start otherwise.
        file = self.files.find_file(path) if self.files.autorefresh else self.files.files.get(path)
        if file is None:
            return self.get_response(request)
        answer: HttpResponseBase = async_to_sync(self.files.aserve)(file, request)
        return answer
