"""A fake of S3 on loopback: moto, behind a check of signatures, which moto does not make."""

import hashlib
import hmac
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import requests

MINUTE = 60
SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<credential>[^,]+), SignedHeaders=(?P<headers>[^,]+), Signature=(?P<signature>\w+)"
)


@dataclass(frozen=True, kw_only=True)
class RecordedRequest:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Signature:
    """The parameters of a signature (AWS4-HMAC-SHA256)."""

    credential: str
    headers: str
    signature: str
    date: str
    # In seconds.
    lifetime: int
    payload: str


class S3Server:
    """Starts with one empty bucket. `requests` has all requests."""

    access_key = "AKIASCHOOL"
    secret_key = "a-secret-of-the-school"
    bucket_name = "school"
    region_name = "us-east-1"

    def __init__(self) -> None:
        self.requests: list[RecordedRequest] = []
        # Responds to everything with 503 Slow Down.
        self.is_busy = False
        # Never responds.
        self.is_silent = False
        self.released = Event()
        self._server: Any = None
        self._client: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def options(self) -> dict[str, Any]:
        """The options of a storage that uses this server."""
        return {
            "bucket_name": self.bucket_name,
            "endpoint_url": self.url,
            "region_name": self.region_name,
            "access_key": self.access_key,
            "secret_key": self.secret_key,
            "addressing_style": "path",
            "location": "materials",
            "querystring_expire": 600,
        }

    @property
    def client(self) -> Any:
        """A boto3 client with the credentials of the bucket."""
        return self._client

    def start(self) -> None:
        # Imported here, since they take a second or two to load, and most tests do not need them.
        import boto3
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
        from werkzeug.serving import make_server

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        application = Guard(self, DomainDispatcherApplication(create_backend_app))
        self._server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self._client = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=self.region_name,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
        )
        self.reset()

    def stop(self) -> None:
        self.released.set()
        self._client.close()
        self._server.shutdown()
        self._server.server_close()

    def reset(self) -> None:
        """Restore the initial state."""
        # Releases requests that still wait; later ones get a new event.
        self.released.set()
        self.released = Event()
        self.is_busy = self.is_silent = False
        requests.post(f"{self.url}/moto-api/reset", timeout=5).raise_for_status()
        self._client.create_bucket(Bucket=self.bucket_name)
        self.requests.clear()


class Guard:
    """WSGI middleware that rejects wrong signatures; requests without one are left to moto."""

    def __init__(self, server: S3Server, application: Callable[..., Iterable[bytes]]) -> None:
        self.server = server
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path, _, query_string = environ["REQUEST_URI"].partition("?")
        query = dict(parse_qsl(query_string, keep_blank_values=True))
        headers = _headers(environ)
        self.server.requests.append(
            RecordedRequest(method=environ["REQUEST_METHOD"], path=path, query=query, headers=headers)
        )
        if self.server.is_silent:
            self.server.released.wait()
        if self.server.is_busy:
            return _error(start_response, "503 Slow Down", "SlowDown")
        signature = _signature(query, headers)
        if signature is not None and not self._is_right(environ["REQUEST_METHOD"], path, query, headers, signature):
            return _error(start_response, "403 Forbidden", "SignatureDoesNotMatch")
        return self.application(environ, start_response)

    def _is_right(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], given: Signature
    ) -> bool:
        access_key, scope = given.credential.split("/", 1)
        signed_at = datetime.strptime(given.date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        if access_key != self.server.access_key or not -15 * MINUTE < time.time() - signed_at <= given.lifetime:
            return False
        parameters = sorted(
            (quote(key, safe="-_.~"), quote(value, safe="-_.~"))
            for key, value in query.items()
            if key != "X-Amz-Signature"
        )
        canonical = "\n".join(
            [
                method,
                quote(unquote(path), safe="/-_.~"),
                "&".join(f"{key}={value}" for key, value in parameters),
                *(f"{name}:{headers.get(name, '').strip()}" for name in given.headers.split(";")),
                "",
                given.headers,
                given.payload,
            ]
        )
        text = "\n".join(["AWS4-HMAC-SHA256", given.date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = f"AWS4{self.server.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), given.signature)


def _signature(query: Mapping[str, str], headers: Mapping[str, str]) -> Signature | None:
    if "X-Amz-Signature" in query:
        return Signature(
            credential=query["X-Amz-Credential"],
            headers=query["X-Amz-SignedHeaders"],
            signature=query["X-Amz-Signature"],
            date=query["X-Amz-Date"],
            lifetime=int(query["X-Amz-Expires"]),
            payload="UNSIGNED-PAYLOAD",
        )
    match = SIGNED.fullmatch(headers.get("authorization", ""))
    if match is None:
        return None
    return Signature(
        **match.groupdict(),
        date=headers["x-amz-date"],
        lifetime=15 * MINUTE,
        payload=headers["x-amz-content-sha256"],
    )


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    return headers | {
        name: str(environ[name.replace("-", "_").upper()])
        for name in ("content-type", "content-length")
        if environ.get(name.replace("-", "_").upper())
    }


def _error(start_response: Callable[..., Any], status: str, code: str) -> list[bytes]:
    start_response(status, [("Content-Type", "application/xml")])
    return [f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()]
