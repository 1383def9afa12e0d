"""Settings from environment variables: defaults, valid values, and messages for invalid ones."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from environs import EnvError

SRC = Path(settings.CHECKOUT) / "src"
CONFIGURATION = SRC.parent / "docs" / "configuration.md"


def start(tmp_path: Path, command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a process with only these variables."""
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    ours = {"DJANGO_SETTINGS_MODULE": "core.settings", "PYTHONPATH": str(SRC), "DATA_DIR": str(tmp_path)}
    return subprocess.run(
        [sys.executable, *command], env={**inherited, **ours, **variables}, capture_output=True, text=True, check=False
    )


def test_an_invalid_variable_stops_the_process(tmp_path: Path) -> None:
    process = start(tmp_path, [str(SRC / "manage.py"), "check"], ACCESS_TOKEN_MINUTES="ten")

    assert process.returncode != 0
    assert process.stdout == ""
    assert process.stderr == (
        'Not started: Environment variable "ACCESS_TOKEN_MINUTES" invalid: Not a valid integer.\n'
    )


def test_a_file_url_writes_mails_into_a_folder(read: Any) -> None:
    settings = read(EMAIL_URL="file:///var/tmp/letters")

    assert settings["EMAIL_BACKEND"] == "django.core.mail.backends.filebased.EmailBackend"
    assert settings["EMAIL_FILE_PATH"] == "/var/tmp/letters"


@pytest.mark.parametrize(("address", "port"), [("smtps://mail.example", 465), ("smtps://mail.example:466", 466)])
def test_smtps_means_implicit_tls(read: Any, address: str, port: int) -> None:
    settings = read(EMAIL_URL=address)

    assert (settings["EMAIL_USE_SSL"], settings["EMAIL_USE_TLS"], settings["EMAIL_PORT"]) == (True, False, port)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("EMAIL_URL", "smtp://learning:swordfish@mail?timeout=5"),
        ("EMAIL_URL", "smtp://learning:swordfish@mail?_default_from_email=a@b.example"),
        ("PORT", "0"),
        ("DEBUG", "perhaps"),
        ("BEHIND_TLS_PROXY", "perhaps"),
        ("DATA_DIR", "/proc/nothing"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgres://learning:swordfish@localhost:port/learning"),
        ("REDIS_URL", "localhost:6379"),
        ("EMAIL_URL", "nonsense"),
        ("EMAIL_URL", "smtp://learning:swordfish@localhost:port"),
        ("FRONTEND_URL", "learning.example"),
        ("MODULES", "modules.sessions,modules.nothing"),
        ("MODULES", "nothing"),
        ("ACCESS_TOKEN_MINUTES", "0"),
        ("REFRESH_TOKEN_DAYS", "-1"),
        ("PASSWORD_RESET_SECONDS", "-1"),
        ("REMINDER_MINUTES", "60,soon"),
        ("REMINDER_MINUTES", "60,-60"),
        ("MATERIALS_MAX_BYTES", "25MB"),
        ("MATERIALS_URL_MINUTES", "0"),
        ("MATERIALS_STORAGE", "dropbox"),
        ("MATERIALS_MAX_BYTES_PER_SESSION", "0"),
        ("MATERIALS_MAX_BYTES_PER_MEMBER", "2GB"),
        ("MATERIALS_MAX_PIXELS", "0"),
        ("MATERIALS_TIMEOUT_SECONDS", "0"),
        ("MATERIALS_PREFIX", "../elsewhere"),
        ("MATERIALS_PREFIX", "/materials"),
        ("CLAMAV_URL", "localhost:3310"),
        ("CLAMAV_URL", "tcp://localhost"),
        ("CLAMAV_URL", "unix://relative"),
        ("CLOUDINARY_URL", "https://key:swordfish@school"),
        ("CLOUDINARY_URL", "cloudinary://key@school"),
        ("CLOUDINARY_URL", "cloudinary://key:swordfish@school/folder"),
        ("CLOUDINARY_URL_MINUTES", "-1"),
        ("CLOUDINARY_API_URL", "api.cloudinary.com"),
        ("CLOUDINARY_DELIVERY_URL", "ftp://res.cloudinary.com"),
        ("S3_ADDRESSING_STYLE", "ip"),
        ("WORKER_THREADS", "0"),
        ("LOG_LEVEL", "loud"),
        ("SECURE_HSTS_SECONDS", "long"),
        ("WEB_PROCESSES", "0"),
        ("ACCESS_TOKEN_MINUTES", "99999999999999"),
        ("REFRESH_TOKEN_DAYS", "9999999"),
        ("PASSWORD_RESET_SECONDS", "99999999999999"),
        ("MAIL_DELAY_SECONDS", "99999999999999"),
        ("REMINDER_MINUTES", "99999999999999"),
        ("DATABASE_URL", "mysql://learning:swordfish@localhost/learning"),
        ("DATABASE_URL", "sqlite:////data/C#/database.sqlite3"),
        ("DATABASE_URL", "sqlite:////data/what?/database.sqlite3"),
        ("DATABASE_URL", "postgres://learning:sword#swordfish@localhost/learning"),
        ("DATABASE_URL", "postgres://learning:swordfish@localhost"),
        ("REDIS_URL", "unix:///run/C#/redis.sock"),
        ("REDIS_URL", "unix://redis.sock"),
        ("REDIS_URL", "redis://"),
        ("REDIS_URL", "redis://:swordfish@redis:port"),
        ("REDIS_URL", "redis://fuß.example"),
        ("EMAIL_URL", "file:///var/C#/letters"),
        ("EMAIL_URL", "file:///var/what?/letters"),
        ("EMAIL_URL", "file://letters"),
        ("EMAIL_URL", "file:///"),
        ("EMAIL_URL", "smtp://learning:swordfish@fuß.example"),
        ("EMAIL_URL", "smtp://learning:swordfish@mail?timeout=soon"),
        ("CLAMAV_URL", "unix:///run/C#/clamd.sock"),
        ("CLAMAV_URL", "unix:///run/what?/clamd.sock"),
        ("CLAMAV_URL", "tcp://localhost:99999"),
        ("CLAMAV_URL", "tcp://fuß.example:3310"),
        ("S3_ENDPOINT_URL", "https://key:swordfish@objects.example"),
        ("CLOUDINARY_API_URL", "https://api.cloudinary.com?key=swordfish"),
    ],
)
def test_the_message_names_the_invalid_variable_and_has_no_secret(read: Any, name: str, value: str) -> None:
    with pytest.raises((EnvError, ImproperlyConfigured), match=name) as error:
        read(**{name: value})

    assert "swordfish" not in str(error.value)


def test_all_variables_have_defaults(read: Any) -> None:
    settings = read()

    assert (settings["HOST"], settings["PORT"], settings["DEBUG"]) == ("127.0.0.1", 8000, True)
    assert settings["DATABASES"]["default"]["ENGINE"] == "django.db.backends.sqlite3"
    assert settings["MODULES"] == ["modules.sessions", "modules.notifications", "modules.materials"]


def test_variables_change_settings(read: Any) -> None:
    settings = read(
        HOST="0.0.0.0",
        PORT="80",
        DEBUG="false",
        SECRET_KEY="known-to-us-alone",
        ALLOWED_HOSTS="learning.example,www.learning.example",
        CSRF_TRUSTED_ORIGINS="https://learning.example",
        CORS_ALLOWED_ORIGINS="https://app.learning.example",
        FRONTEND_URL="https://app.learning.example/",
        BEHIND_TLS_PROXY="true",
        SECURE_HSTS_SECONDS="0",
        DATABASE_URL="postgres://learning:swordfish@db:5432/learning?sslmode=require",
        DATABASE_POOL_SIZE="4",
        REDIS_URL="rediss://:swordfish@redis:6379/1",
        MODULES="modules.sessions",
        EMAIL_URL="submission://learning:swordfish@mail:587",
        REMINDER_MINUTES="2880,30",
        LOG_LEVEL="warning",
    )

    assert settings["ALLOWED_HOSTS"] == ["learning.example", "www.learning.example"]
    assert settings["FRONTEND_URL"] == "https://app.learning.example"
    assert settings["DATABASES"]["default"]["OPTIONS"]["sslmode"] == "require"
    assert settings["DATABASES"]["default"]["OPTIONS"]["pool"]["max_size"] == 4
    assert settings["HUEY"]["huey_class"] == "huey.RedisHuey"
    assert (settings["EMAIL_HOST"], settings["EMAIL_USE_TLS"]) == ("mail", True)
    assert settings["REMINDER_MINUTES"] == [2880, 30]


def test_materials_are_stored_on_the_local_disk_by_default(read: Any) -> None:
    settings = read()

    assert settings["MATERIALS_STORAGE"] == "local"
    assert [name for name in settings["STORAGES"] if name.startswith("materials")] == ["materials_local"]


def test_cloudinary_is_configured_by_its_url(read: Any) -> None:
    settings = read(
        MATERIALS_STORAGE="cloudinary",
        CLOUDINARY_URL="cloudinary://1234:sword-fish_%2F@My-School",
        CLOUDINARY_URL_MINUTES="5",
        MATERIALS_PREFIX="school/materials",
        MATERIALS_TIMEOUT_SECONDS="7",
    )

    assert settings["STORAGES"]["materials_cloudinary"]["OPTIONS"] == {
        "cloud_name": "My-School",
        "api_key": "1234",
        "api_secret": "sword-fish_/",
        "api_url": "https://api.cloudinary.com",
        "delivery_url": "https://res.cloudinary.com",
        "prefix": "school/materials",
        "timeout": 7,
        "link_seconds": 300,
    }


def test_s3_is_configured_by_the_name_of_the_bucket(read: Any) -> None:
    settings = read(
        MATERIALS_STORAGE="s3",
        S3_BUCKET="school",
        S3_ENDPOINT_URL="https://objects.example",
        S3_REGION="eu-central-1",
        S3_ACCESS_KEY_ID="key",
        S3_SECRET_ACCESS_KEY="swordfish",
        S3_ADDRESSING_STYLE="path",
        MATERIALS_URL_MINUTES="3",
    )

    assert settings["STORAGES"]["materials_s3"]["OPTIONS"] == {
        "bucket_name": "school",
        "endpoint_url": "https://objects.example",
        "region_name": "eu-central-1",
        "access_key": "key",
        "secret_key": "swordfish",
        "addressing_style": "path",
        "location": "materials",
        "querystring_expire": 180,
        "timeout": 30,
    }


def test_the_frontend_may_be_on_localhost(read: Any) -> None:
    assert read(FRONTEND_URL="http://localhost:3000/")["FRONTEND_URL"] == "http://localhost:3000"


def test_without_debug_no_hosts_and_origins_are_allowed_by_default(read: Any) -> None:
    settings = read(DEBUG="false")

    assert settings["ALLOWED_HOSTS"] == []
    assert settings["CORS_ALLOWED_ORIGINS"] == []


def test_variables_of_the_token_library_are_ignored(tmp_path: Path) -> None:
    """It reads variables without a prefix for settings that are missing."""
    code = (
        "import django; django.setup(); from ninja_jwt.settings import api_settings as s;"
        "print(s.ALGORITHM, s.SIGNING_KEY, s.VERIFYING_KEY, s.ISSUER, s.AUDIENCE, s.LEEWAY, s.USER_ID_CLAIM)"
    )
    names = ("ALGORITHM", "SIGNING_KEY", "VERIFYING_KEY", "ISSUER", "AUDIENCE", "LEEWAY", "USER_ID_CLAIM")

    process = start(tmp_path, ["-c", code], SECRET_KEY="ours", **dict.fromkeys(names, "HS512"))

    assert process.stdout == "HS256 ours  None None 10 user_id\n", process.stderr


# --- Empty variables ----------------------------------------------------------------------------------------------

VARIABLES = re.findall(r"^\| (`.*?) \|", CONFIGURATION.read_text(), re.MULTILINE)
NAMES = [name for names in VARIABLES for name in re.findall(r"`([A-Z0-9_]+)`", names) if not name.startswith("TEST_")]


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_empty_and_blank_variables_count_as_not_set(read: Any, tmp_path: Path, blank: str) -> None:
    assert {"HOST", "PORT", "DEBUG", "SECRET_KEY", "EMAIL_URL", "REMINDER_MINUTES"} <= set(NAMES)

    given = read(**{name: blank for name in NAMES if name != "DATA_DIR"})

    def select_comparable(settings: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in settings.items() if name.isupper() and name != "UNFOLD"}

    assert select_comparable(given) == select_comparable(read())
    assert read(DATA_DIR=blank)["DATA_DIR"] == SRC.parent / "data"


# --- Paths --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["C#", "what?", "100%20", "a b", "ü", "a&b=c", "file:x", "'\"", "[::1]"])
def test_all_files_are_in_the_data_folder_whatever_characters_its_name_has(
    read: Any, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name / "data"

    settings = read(DATA_DIR=str(folder))

    assert settings["DATABASES"]["default"]["NAME"] == str(folder / "database.sqlite3")
    assert settings["HUEY"]["filename"] == str(folder / "queue.sqlite3")
    assert settings["STORAGES"]["materials_local"]["OPTIONS"]["location"] == str(folder / "materials")
    assert (settings["MEDIA_ROOT"], settings["STATIC_ROOT"]) == (folder / "media", folder / "static")


def test_the_database_and_the_queue_are_created_in_the_data_folder(tmp_path: Path) -> None:
    folder = tmp_path / "C#" / "what? 100%20"
    create_queue = "from huey.contrib.djhuey import HUEY; HUEY.pending_count()"
    migrate = "from django.core.management import call_command; call_command('migrate', 'contenttypes', verbosity=0)"

    ended = start(tmp_path, ["-c", f"import django; django.setup(); {migrate}; {create_queue}"], DATA_DIR=str(folder))

    assert ended.returncode == 0, ended.stderr
    assert {"database.sqlite3", "queue.sqlite3"} <= {file.name for file in folder.iterdir()}
    assert [file.name for file in tmp_path.iterdir()] == ["C#"]
    assert [file.name for file in (tmp_path / "C#").iterdir()] == [folder.name]


@pytest.mark.parametrize(
    ("variables", "name", "value"),
    [
        ({"DATABASE_URL": "sqlite:////data/C%23/a%20b%3F.sqlite3"}, "DATABASES", "/data/C#/a b?.sqlite3"),
        ({"EMAIL_URL": "file:///data/C%23/what%3F/a%20b"}, "EMAIL_FILE_PATH", "/data/C#/what?/a b"),
    ],
)
def test_a_percent_encoded_path_in_a_url_is_decoded(
    read: Any, variables: dict[str, str], name: str, value: str
) -> None:
    found = read(**variables)[name]

    assert (found["default"]["NAME"] if name == "DATABASES" else found) == value
