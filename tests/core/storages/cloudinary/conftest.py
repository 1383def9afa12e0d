"""Fixtures for tests of the Cloudinary storage."""

from collections.abc import Iterator

import cloudinary
import pytest
from tests.cloudinary_server import CloudinaryServer

from core.storages.cloudinary import CloudinaryStorage


@pytest.fixture
def storage(cloudinary_storage: CloudinaryStorage) -> CloudinaryStorage:
    return cloudinary_storage


@pytest.fixture
def short_timeout_storage(cloudinary_server: CloudinaryServer) -> CloudinaryStorage:
    """With a short timeout."""
    return CloudinaryStorage(**cloudinary_server.options, timeout=0.2)


@pytest.fixture
def expiring_storage(cloudinary_server: CloudinaryServer) -> CloudinaryStorage:
    """With URLs that expire after ten minutes."""
    return CloudinaryStorage(**cloudinary_server.options, link_seconds=600)


@pytest.fixture
def another_configuration(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All settings that the SDK reads from environment variables."""
    options = {
        "api_proxy": "http://127.0.0.1:9",
        "auth_token[key]": "00aabb",
        "cdn_subdomain": "true",
        "cname": "elsewhere.example.com",
        "dpr": "2.0",
        "long_url_signature": "true",
        "oauth_token": "a-token",
        "private_cdn": "true",
        "responsive_width": "true",
        "secure_distribution": "elsewhere.example.com",
        "shorten": "true",
        "signature_algorithm": "sha256",
        "signature_version": "1",
        "timeout": "1",
        "upload_prefix": "http://127.0.0.1:9",
        "upload_preset": "public",
        "use_fetch_format": "true",
        "use_root_path": "true",
    }
    query = "&".join(f"{name}={value}" for name, value in options.items())
    monkeypatch.setenv("CLOUDINARY_URL", f"cloudinary://key:secret@another?{query}")
    cloudinary.reset_config()
    assert cloudinary.config().cloud_name == "another"
    yield
    monkeypatch.undo()
    cloudinary.reset_config()
