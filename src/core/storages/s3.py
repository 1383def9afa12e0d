"""A Django storage in a bucket of Amazon S3, or of any service with its protocol."""

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

from core.storages import ListedFile, OutcomeUnknown

MEBIBYTE = 1024 * 1024
BLOCK = 64 * 1024


class S3Storage(DjangoStoragesS3Storage):  # type: ignore[misc]
    """The storage of django-storages, with private files and with timeouts.

    It takes the options of that class, and `timeout`: the seconds for connecting, and for each wait for data.
    Raises `OutcomeUnknown` for a failure of the service, and `FileNotFoundError` for a missing file.
    """

    file_overwrite = False
    # The bucket decides about ownership; nobody reads a file without a signed URL.
    default_acl = None
    querystring_auth = True
    custom_domain = None
    gzip = False
    # A file that is read is kept in memory up to this size, and beyond it on disk.
    max_memory_size = MEBIBYTE
    # Files in one page of the listing, at most 1000.
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
                    # Not every S3-compatible service supports the newer checksums.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                ),
                # A session token in the environment does not belong to our own credentials.
                **({"security_token": None} if options.get("access_key") else {}),
                **options,
            }
        )
        # One connection for all threads: creating one takes longer than most requests, and under ASGI each request may
        # run in another thread. Only its client and its bucket are used, which threads may share.
        self._connections = SimpleNamespace()

    def walk(self) -> Iterator[ListedFile]:
        """Iterate over the files below the location."""
        prefix = f"{self.location.rstrip('/')}/".lstrip("/")
        paginator = self.connection.meta.client.get_paginator("list_objects_v2")
        pages = iter(
            paginator.paginate(Bucket=self.bucket_name, Prefix=prefix, PaginationConfig={"PageSize": self.page_size})
        )
        while True:
            with _translate_errors():
                page = next(pages, None)
            if page is None:
                return
            for entry in page.get("Contents", ()):
                # Consoles create such keys for folders.
                if not entry["Key"].endswith("/"):
                    yield ListedFile(name=entry["Key"].removeprefix(prefix), size=entry["Size"])

    def build_signed_url(self, name: str, *, file_name: str, content_type: str, inline: bool) -> str:
        """Build a URL that expires after `querystring_expire` seconds."""
        parameters = {"ResponseContentType": content_type}
        disposition = content_disposition_header(as_attachment=not inline, filename=file_name)
        if disposition:
            parameters["ResponseContentDisposition"] = disposition
        return str(self.url(name, parameters=parameters))

    def exists(self, name: str) -> bool:
        with _translate_errors():
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        """In bytes. Raises `FileNotFoundError`."""
        with _translate_errors():
            return int(super().size(name))

    def delete(self, name: str) -> None:
        """Delete a file; a missing one is no error."""
        if not name:
            raise ValueError("The name must be given to delete().")
        with _translate_errors():
            super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with _translate_errors():
            folders, files = super().listdir(path)
            return folders, files

    # Without the transfer manager of boto3, which takes an interruption for the end of a file.

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        """Read the whole file before it is returned, so that a failure is raised here.

        Raises `FileNotFoundError`.
        """
        if mode != "rb":
            raise ValueError("Files in S3 are opened with rb; they are written by save().")
        with ExitStack() as on_error, _translate_errors():
            try:
                response = self.connection.meta.client.get_object(Bucket=self.bucket_name, Key=self._build_key(name))
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
                    raise FileNotFoundError(name) from error
                raise
            content = on_error.enter_context(SpooledTemporaryFile(max_size=self.max_memory_size))
            with closing(response["Body"]) as body:
                # A body that is shorter than its length raises an error.
                for block in body.iter_chunks(BLOCK):
                    content.write(block)
            content.seek(0)
            on_error.pop_all()
        return File(content, name=name)

    def _save(self, name: str, content: File) -> str:  # type: ignore[type-arg]
        """Upload in one request: parts of an upload that a killed process left would stay, unlisted and charged."""
        key = self._build_key(name)
        content.seek(0)
        # A Django `File` without a name is false, and boto3 would send nothing.
        body = SimpleNamespace(read=content.read, seek=content.seek, tell=content.tell)
        with _translate_errors():
            self.connection.meta.client.put_object(
                Bucket=self.bucket_name, Key=key, Body=body, **self._get_write_parameters(key, content)
            )
        return str(clean_name(name))

    def _build_key(self, name: str) -> str:
        return str(self._normalize_name(clean_name(name)))

    def _get_write_parameters(self, name: str, content: Any = None) -> dict[str, Any]:
        """The content type is the one that our code detected (`stored_as`), not the one that the sender declared."""
        content_type = getattr(content, "stored_as", None) or self.default_content_type
        return {**self.get_object_parameters(name), "ContentType": content_type}


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError, Boto3Error) as error:
        raise OutcomeUnknown(f"The bucket: {error}") from error
