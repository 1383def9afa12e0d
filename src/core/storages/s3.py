"""Files in a bucket of Amazon S3, or of any other service that speaks its protocol."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from types import SimpleNamespace
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from django.utils.http import content_disposition_header
from storages.backends.s3 import S3Storage as DjangoStoragesS3Storage
from storages.utils import clean_name

from core.storages import Listed, Unanswered

MEBIBYTE = 1024 * 1024
BLOCK = 64 * 1024


class S3Storage(DjangoStoragesS3Storage):  # type: ignore[misc]
    """The one of django-storages, with everything private, and with an end to how long it waits.

    It takes the options of that class, and `timeout`: the seconds for connecting, and for each wait for the service.
    A failure of the service raises `Unanswered`, and what is not there raises `FileNotFoundError`.
    """

    file_overwrite = False
    # Objects have the owner that the bucket gives them; nobody reads them without a signed address.
    default_acl = None
    querystring_auth = True
    custom_domain = None
    gzip = False
    # What is read lies in memory up to this, and beyond it on the disk.
    max_memory_size = MEBIBYTE
    # How many files a page of the listing has; no service has more in one.
    page_size = 1000

    def __init__(self, *, timeout: float = 30, addressing_style: str = "auto", **options: Any) -> None:
        super().__init__(
            **{
                "session_profile": None,
                "client_config": Config(
                    signature_version="s3v4",
                    s3={"addressing_style": addressing_style},
                    connect_timeout=timeout,
                    read_timeout=timeout,
                    retries={"total_max_attempts": 2, "mode": "standard"},
                    # Not every service that speaks the protocol knows the newer ones.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                ),
                # With credentials of our own, the environment's token of somebody else's would spoil them.
                **({"security_token": None} if options.get("access_key") else {}),
                **options,
            }
        )
        # One connection for all threads: making one takes longer than most requests do, and under ASGI each request
        # may come from another thread. Only its client is used, which boto3 lets threads share, and its bucket,
        # which django-storages lets them share as well.
        self._connections = SimpleNamespace()

    def walk(self) -> Iterator[Listed]:
        """Everything in the bucket whose key begins with the location."""
        beginning = f"{self.location.rstrip('/')}/".lstrip("/")
        paginator = self.connection.meta.client.get_paginator("list_objects_v2")
        pages = iter(
            paginator.paginate(Bucket=self.bucket_name, Prefix=beginning, PaginationConfig={"PageSize": self.page_size})
        )
        while True:
            with _answered():
                page = next(pages, None)
            if page is None:
                return
            for entry in page.get("Contents", ()):
                # A key that ends so is what consoles make of a folder.
                if not entry["Key"].endswith("/"):
                    yield Listed(name=entry["Key"].removeprefix(beginning), size=entry["Size"])

    def address(self, name: str, *, file_name: str, content_type: str, inline: bool) -> str:
        """An address that runs out after `querystring_expire` seconds."""
        parameters = {"ResponseContentType": content_type}
        disposition = content_disposition_header(as_attachment=not inline, filename=file_name)
        if disposition:
            parameters["ResponseContentDisposition"] = disposition
        return str(self.url(name, parameters=parameters))

    def exists(self, name: str) -> bool:
        with _answered():
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        """In bytes. Raises `FileNotFoundError`."""
        with _answered():
            return int(super().size(name))

    def delete(self, name: str) -> None:
        """What is not there is fine."""
        if not name:
            raise ValueError("The name must be given to delete().")
        with _answered():
            super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with _answered():
            folders, files = super().listdir(path)
            return folders, files

    # Past the transfers of boto3 both ways: those take an interruption for the end of a file.

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        """Only for reading, and read as a whole before it is returned, so that what fails does so here.

        Raises `FileNotFoundError`.
        """
        if mode != "rb":
            raise ValueError("Files in S3 are opened with rb; they are written by save().")
        with ExitStack() as undone, _answered():
            try:
                answer = self.connection.meta.client.get_object(Bucket=self.bucket_name, Key=self._key(name))
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
                    raise FileNotFoundError(name) from error
                raise
            content = undone.enter_context(SpooledTemporaryFile(max_size=self.max_memory_size))
            with closing(answer["Body"]) as body:
                # One that ends before its length is an error of its own.
                for block in body.iter_chunks(BLOCK):
                    content.write(block)
            content.seek(0)
            undone.pop_all()
        return File(content, name=name)

    def _save(self, name: str, content: File) -> str:  # type: ignore[type-arg]
        """In one request, never in parts: those of a process that died would stay, paid for and in no listing."""
        key = self._key(name)
        content.seek(0)
        # Without a name, one of Django's files counts as false, and boto3 would send nothing.
        body = SimpleNamespace(read=content.read, seek=content.seek, tell=content.tell)
        with _answered():
            self.connection.meta.client.put_object(
                Bucket=self.bucket_name, Key=key, Body=body, **self._get_write_parameters(key, content)
            )
        return str(clean_name(name))

    def _key(self, name: str) -> str:
        return str(self._normalize_name(clean_name(name)))

    def _get_write_parameters(self, name: str, content: Any = None) -> dict[str, Any]:
        """The type is what our own code has found it to be, in `stored_as`: the sender's word is not taken for it."""
        content_type = getattr(content, "stored_as", None) or self.default_content_type
        return {**self.get_object_parameters(name), "ContentType": content_type}


@contextmanager
def _answered() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError, Boto3Error) as error:
        raise Unanswered(f"The bucket: {error}") from error
