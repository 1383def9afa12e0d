"""Fixtures for each storage, and for one with a neighbouring prefix or folder."""

from pathlib import Path

import pytest
from django.core.files.storage import Storage
from tests.cloudinary_server import CloudinaryServer
from tests.s3_server import S3Server

from core.storages.cloudinary import CloudinaryStorage
from core.storages.local import LocalStorage
from core.storages.s3 import S3Storage

# Longer than any response takes.
TIMEOUT = 5


@pytest.fixture
def local_storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(location=str(tmp_path / "materials"))


@pytest.fixture
def local_neighbour(tmp_path: Path) -> LocalStorage:
    return LocalStorage(location=str(tmp_path / "materials2"))


@pytest.fixture
def cloudinary_storage(cloudinary_server: CloudinaryServer) -> CloudinaryStorage:
    return CloudinaryStorage(**cloudinary_server.options, prefix="materials", timeout=TIMEOUT)


@pytest.fixture
def cloudinary_neighbour(cloudinary_server: CloudinaryServer) -> CloudinaryStorage:
    return CloudinaryStorage(**cloudinary_server.options, prefix="materials2", timeout=TIMEOUT)


@pytest.fixture(scope="session")
def connected_s3_storage(running_s3_server: S3Server) -> S3Storage:
    """Shared by all tests of a process, since the first connection takes a third of a second."""
    return S3Storage(**running_s3_server.options, timeout=TIMEOUT)


@pytest.fixture(scope="session")
def connected_s3_neighbour(running_s3_server: S3Server) -> S3Storage:
    return S3Storage(**{**running_s3_server.options, "location": "materials2"}, timeout=TIMEOUT)


@pytest.fixture
def s3_storage(s3_server: S3Server, connected_s3_storage: S3Storage) -> S3Storage:
    return connected_s3_storage


@pytest.fixture
def s3_neighbour(s3_server: S3Server, connected_s3_neighbour: S3Storage) -> S3Storage:
    return connected_s3_neighbour


@pytest.fixture(params=["local", "cloudinary", "s3"])
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def storage(request: pytest.FixtureRequest, place: str) -> Storage:
    return request.getfixturevalue(f"{place}_storage")


@pytest.fixture
def neighbour(request: pytest.FixtureRequest, place: str) -> Storage:
    return request.getfixturevalue(f"{place}_neighbour")


@pytest.fixture(params=["cloudinary", "s3"])
def remote_storage(request: pytest.FixtureRequest) -> Storage:
    """A storage with URLs on another host."""
    return request.getfixturevalue(f"{request.param}_storage")
