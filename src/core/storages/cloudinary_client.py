"""An HTTP client for Cloudinary's APIs, with bounds on memory and time (docs/decisions/own-cloudinary-client.md).

The SDK signs requests and builds URLs; the requests themselves are sent here.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import cloudinary
from cloudinary import utils
from urllib3 import BaseHTTPResponse, PoolManager, Timeout, make_headers
from urllib3.exceptions import HTTPError
from urllib3.filepost import choose_boundary, encode_multipart_formdata

from core.storages import OutcomeUnknown

BLOCK = 64 * 1024
MAX_RESPONSE_BYTES = 8 * 1024 * 1024

# Options that the SDK would otherwise take from its global configuration, which reads the environment.
SIGNING_OPTIONS = {"signature_algorithm": "sha1", "signature_version": 2}
DELIVERY_OPTIONS = {
    "auth_token": False,
    "cdn_subdomain": False,
    "cname": None,
    "dpr": None,
    "force_version": True,
    "long_url_signature": False,
    "private_cdn": False,
    "responsive_width": False,
    "secure": True,
    "secure_cdn_subdomain": False,
    "secure_distribution": None,
    "shorten": False,
    "signature_algorithm": "sha1",
    "use_fetch_format": False,
    "use_root_path": False,
}
DELIVERY_HOST = "https://res.cloudinary.com"


class CloudinaryError(OutcomeUnknown):
    """An error that Cloudinary reports, with its HTTP status and its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"Cloudinary answers {status}: {message}")
        self.status = status
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Upload:
    """The bytes of a file to send in one request, as blocks, and how many they are."""

    blocks: Iterator[bytes]
    length: int


class CloudinaryClient:
    """Sends requests to one Cloudinary account.

    `timeout` limits, in seconds: connecting, each wait for data, and each response of the API as a whole. Nothing is
    retried. Raises `CloudinaryError` for a reported error, and `OutcomeUnknown` for every other failure.
    """

    def __init__(
        self, *, cloud_name: str, api_key: str, api_secret: str, api_url: str, delivery_url: str, timeout: float
    ) -> None:
        self._timeout = timeout
        self._delivery_url = delivery_url
        self._cloud = {"cloud_name": cloud_name, "upload_prefix": api_url}
        self._signing = {"api_key": api_key, "api_secret": api_secret, **SIGNING_OPTIONS}
        self._headers = {"User-Agent": cloudinary.get_user_agent()}
        self._authorization = make_headers(basic_auth=f"{api_key}:{api_secret}")
        self._http = PoolManager(
            maxsize=10, timeout=Timeout(connect=timeout, read=timeout), retries=False, **cloudinary.CERT_KWARGS
        )

    def get(self, *path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call the Admin API, which limits the number of calls an hour."""
        url = utils.base_api_url(list(path), **self._cloud)
        parameters = {key: value for key, value in (query or {}).items() if value is not None}
        return self._call("GET", f"{url}?{urlencode(parameters)}" if parameters else url, self._authorization)

    def post(
        self,
        kind: str,
        action: str,
        params: Mapping[str, Any],
        *,
        headers: Mapping[str, str] | None = None,
        file: Upload | None = None,
    ) -> dict[str, Any]:
        """Call the Upload API with a signed form, whose last field is the `file`."""
        url = utils.cloudinary_api_url(action, resource_type=kind, **self._cloud)
        signed = utils.sign_request({**params, "timestamp": utils.now()}, self._signing)
        boundary = choose_boundary()
        fields: dict[str, Any] = dict(signed)
        if file is not None:
            # The last field, so that its bytes, which are not in memory, can be inserted before the end of the form.
            fields["file"] = ("file", b"", "application/octet-stream")
        form, content_type = encode_multipart_formdata(fields, boundary=boundary)
        end = f"\r\n--{boundary}--\r\n".encode()
        blocks, length = (iter(()), 0) if file is None else (file.blocks, file.length)
        all_headers = {
            "Content-Type": content_type,
            "Content-Length": str(len(form) + length),
            **(headers or {}),
        }
        return self._call("POST", url, all_headers, body=_concatenate(form.removesuffix(end), blocks, end))

    @contextmanager
    def open_url(
        self, method: str, url: str, headers: Mapping[str, str], *, body: Iterator[bytes] | None = None
    ) -> Iterator[BaseHTTPResponse]:
        """Send a request and give its response, unread. Raises `OutcomeUnknown`, also while the response is read."""
        # The SDK would hold a file in memory several times, try three times, and accept any delay the server asks for.
        all_headers = {**self._headers, "Accept-Encoding": "identity", **headers}
        try:
            response = self._http.request(method, url, headers=all_headers, body=body, preload_content=False)
            try:
                yield response
            except BaseException:
                # A connection with unread data must not be reused.
                response.close()
                raise
            finally:
                response.release_conn()
        except OutcomeUnknown:
            raise
        except (HTTPError, TimeoutError, ConnectionError) as error:
            raise OutcomeUnknown(f"Cloudinary does not answer: {error}") from error

    def build_delivery_url(self, kind: str, public_id: str, *, delivery_type: str) -> str:
        """Build a signed URL of the original bytes, which does not expire."""
        url, _ = utils.cloudinary_url(
            public_id,
            resource_type=kind,
            type=delivery_type,
            version=1,
            sign_url=True,
            cloud_name=self._cloud["cloud_name"],
            api_secret=self._signing["api_secret"],
            **DELIVERY_OPTIONS,
        )
        return self._delivery_url + str(url).removeprefix(DELIVERY_HOST)

    def build_download_url(
        self, kind: str, public_id: str, *, delivery_type: str, expires_at: int, as_attachment: bool
    ) -> str:
        """Build a signed URL of the original bytes that expires at an instant, in seconds since 1970."""
        return str(
            utils.private_download_url(
                public_id,
                # The format that the file has.
                format=None,
                resource_type=kind,
                type=delivery_type,
                attachment=as_attachment or None,
                expires_at=expires_at,
                **self._cloud,
                **self._signing,
            )
        )

    def _call(
        self, method: str, url: str, headers: Mapping[str, str], *, body: Iterator[bytes] | None = None
    ) -> dict[str, Any]:
        with self.open_url(method, url, headers, body=body) as response:
            content = self._read_response(response)
        with translate_parse_errors():
            result: dict[str, Any] = json.loads(content)
            error = result.get("error")
            message = "" if error is None else str(error["message"])
        if message:
            raise CloudinaryError(response.status, message)
        if response.status != HTTPStatus.OK:
            raise OutcomeUnknown(f"Cloudinary answers {response.status}")
        return result

    def _read_response(self, response: BaseHTTPResponse) -> bytes:
        deadline = time.monotonic() + self._timeout
        content = b""
        while block := response.read1(BLOCK):
            content += block
            # The timeout of the socket does not limit a response that arrives byte by byte.
            if len(content) > MAX_RESPONSE_BYTES or time.monotonic() > deadline:
                raise OutcomeUnknown("The response is too long or too slow")
        return content


@contextmanager
def translate_parse_errors() -> Iterator[None]:
    """Raise `OutcomeUnknown` for errors in reading a response of an unexpected shape."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise OutcomeUnknown("The response cannot be parsed") from error


def _concatenate(beginning: bytes, blocks: Iterator[bytes], end: bytes) -> Iterator[bytes]:
    yield beginning
    yield from blocks
    yield end
