"""Bodies that come without a length under WSGI, of which Django reads nothing."""

from collections.abc import Callable, Iterable
from tempfile import SpooledTemporaryFile
from typing import Any

from django.conf import settings

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

PIECE = 64 * 1024


class ChunkedBody:
    """Reads a chunked body, up to a byte more than `most`, and gives the request its length.

    One that is too large is thereby refused like any other, by `ApiErrorMiddleware`.
    """

    def __init__(self, application: Application, *, most: int) -> None:
        self.application = application
        self.most = most

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        coding = environ.get("HTTP_TRANSFER_ENCODING", "")
        if coding.strip().lower() != "chunked" or environ.get("CONTENT_LENGTH"):
            return self.application(environ, start_response)
        # What answers has read the body by the time it returns.
        with SpooledTemporaryFile(max_size=settings.DATA_UPLOAD_MAX_MEMORY_SIZE) as body:
            size = 0
            while size <= self.most and (piece := environ["wsgi.input"].read(min(PIECE, self.most + 1 - size))):
                size += body.write(piece)
            body.seek(0)
            return self.application({**environ, "wsgi.input": body, "CONTENT_LENGTH": str(size)}, start_response)
