"""Every setting, in sections, read from the environment by one library.

A variable that cannot be read stops the process with its name in the message. The table in the README documents
each one; none is needed for the embedded default (SQLite, a queue in SQLite, files on disk).
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from environs import validate

from core.jobs.task_queue.storages import RedisQueue, SqliteQueue
from core.settings import environment
from core.settings.environment import Environment

env = Environment()

# --- Where things are -------------------------------------------------------------------------------------------

CHECKOUT = Path(__file__).resolve().parents[3]
DATA_DIR = Path(env.str("DATA_DIR", str(CHECKOUT / "data"))).expanduser().resolve()
try:
    DATA_DIR.mkdir(parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(f"DATA_DIR: {error}") from None

# --- How it is reached ------------------------------------------------------------------------------------------

HOST: str = env.value("HOST", "127.0.0.1", environment.read_listening_host)
PORT: int = env.int("PORT", 8000, validate=validate.Range(1, 65535))
DEBUG: bool = env.bool("DEBUG", True)
# How many web processes share this configuration: what one may have for itself, several may not.
WEB_PROCESSES: int = env.int("WEB_PROCESSES", 1, validate=validate.Range(min=1))

# Known to everybody who reads this file: `core.settings.checks` and `./just up` refuse it.
BUILT_IN_SECRET_KEY = "built-in-key-for-one-machine-only-never-for-a-server-that-others-reach"
SECRET_KEY: str = env.str("SECRET_KEY", BUILT_IN_SECRET_KEY)

_local_hosts = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS: list[str] = env.items("ALLOWED_HOSTS", _local_hosts if DEBUG else [], environment.read_allowed_host)
CSRF_TRUSTED_ORIGINS: list[str] = env.items("CSRF_TRUSTED_ORIGINS", [], environment.read_trusted_origin)

# Where the app is, and the paths of it that mails and calendars lead to.
FRONTEND_URL: str = env.value("FRONTEND_URL", "http://localhost:3000", environment.read_web_address)
FRONTEND_SESSION_PATH: str = env.value(
    "FRONTEND_SESSION_PATH",
    "/sessions/{id}",
    environment.read_frontend_path(example="/sessions/{id}", required=("id",)),
)
FRONTEND_PASSWORD_RESET_PATH: str = env.value(
    "FRONTEND_PASSWORD_RESET_PATH",
    "/reset-password",
    environment.read_frontend_path(example="/reset-password or /reset/{uid}/{token}", optional=("uid", "token")),
)
FRONTEND_EMAIL_CONFIRMATION_PATH: str = env.value(
    "FRONTEND_EMAIL_CONFIRMATION_PATH",
    "/confirm-email",
    environment.read_frontend_path(example="/confirm-email or /confirm/{token}", optional=("token",)),
)

# How this service is called from outside: where the links begin that work without the app, as those to unsubscribe.
_scheme = "https" if env.bool("BEHIND_TLS_PROXY", False) else "http"
_names = [name.lstrip(".") for name in ALLOWED_HOSTS if name != "*"]
SITE_URL: str = env.value(
    "SITE_URL",
    f"http://localhost:{PORT}" if DEBUG or not _names else f"{_scheme}://{_names[0]}",
    environment.read_web_address,
)

CORS_ALLOWED_ORIGINS: list[str] = env.items(
    "CORS_ALLOWED_ORIGINS",
    ["http://localhost:3000", "http://127.0.0.1:3000"] if DEBUG else [],
    environment.read_origin,
)
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = [
    # Among them X-CSRFToken, which clients of a Django API send with every request.
    *default_headers,
    "idempotency-key",
    # For who reads a file in parts.
    *("range", "if-range", "if-none-match"),
]
CORS_EXPOSE_HEADERS = [
    *("Accept-Ranges", "Content-Disposition", "Content-Range", "ETag"),
    "Link",
    "X-Request-ID",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
]
CORS_PREFLIGHT_MAX_AGE = 3600

# A proxy that ends TLS says so in this header; believed only when the deployer says that such a proxy stands there.
BEHIND_TLS_PROXY: bool = env.bool("BEHIND_TLS_PROXY", False)
_hsts_seconds: int = env.int("SECURE_HSTS_SECONDS", 3600, validate=validate.Range(min=0))
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = _hsts_seconds
    SECURE_SSL_REDIRECT = True
# A redirect would hide from a client of the API that it has just sent its token in the open: there it is an error.
SECURE_REDIRECT_EXEMPT = [r"^api/"]
# Whether other subdomains speak TLS is not ours to promise.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = BEHIND_TLS_PROXY
CSRF_COOKIE_SECURE = BEHIND_TLS_PROXY
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- What it is made of -----------------------------------------------------------------------------------------

# Each can be left out: the others go on without it.
MODULES: list[str] = env.items(
    "MODULES", ["modules.sessions", "modules.notifications", "modules.materials"], environment.read_module
)

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "servestatic",
    "corsheaders",
    "ninja",
    "huey.contrib.djhuey",
    "core",
    *MODULES,
    "demo",
]

MIDDLEWARE = [
    "core.http.middleware.RequestContextMiddleware",
    # Before whatever may answer: a page of another origin could not read that otherwise.
    "corsheaders.middleware.CorsMiddleware",
    "core.http.middleware.RefusalMiddleware",
    "core.monitoring.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "core.http.static_files.StaticFilesMiddleware",
    "core.http.middleware.ApiErrorMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "core.portal.gate.GateMiddleware",
    "core.portal.zone.OwnTimeZoneMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "core.urls"
ASGI_APPLICATION = "core.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Before the apps' own, so that our changes to pages of unfold are found first.
        "DIRS": [CHECKOUT / "src" / "core" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Where data lives -------------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_database: dict[str, Any] = env.value(
    "DATABASE_URL",
    {"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA_DIR / "database.sqlite3")},
    environment.read_database_url,
)
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["OPTIONS"] = {
        # Two writers take turns from BEGIN on: with the default, a reader that turns writer fails at once.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # Under ASGI each request may run in a thread of its own, and a kept connection would stay behind with the thread:
    # the pool gives it back.
    _database["CONN_MAX_AGE"] = 0
    _database["OPTIONS"] = {
        **_database.get("OPTIONS", {}),
        "pool": {
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL_SIZE", 8, validate=validate.Range(min=1)),
            "timeout": 15,
        },
    }
DATABASES = {"default": _database}

# How long one query may take, 0 for ever: of a request, for which somebody waits and which others may have made up, and
# of a job or a command, migrations included.
DATABASE_STATEMENT_TIMEOUT_SECONDS: float = env.float(
    "DATABASE_STATEMENT_TIMEOUT_SECONDS", 10, validate=validate.Range(min=0)
)
DATABASE_JOB_STATEMENT_TIMEOUT_SECONDS: float = env.float(
    "DATABASE_JOB_STATEMENT_TIMEOUT_SECONDS", 3600, validate=validate.Range(min=0)
)

REDIS_URL: str = env.value("REDIS_URL", "", environment.read_redis_url)
CACHES = {
    "default": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            # In seconds: whoever waits for the page could have had it without the cache by then.
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        }
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

# --- Sessions ---------------------------------------------------------------------------------------------------

# Those that wait for approval, are approved, scheduled or going on.
SESSIONS_MAX_OPEN_PER_MEMBER: int = env.int("SESSIONS_MAX_OPEN_PER_MEMBER", 50, validate=validate.Range(min=1))
SESSIONS_MAX_WAITING_REQUESTS: int = env.int("SESSIONS_MAX_WAITING_REQUESTS", 200, validate=validate.Range(min=1))

# --- Materials --------------------------------------------------------------------------------------------------

# Where new files go; those that lie elsewhere are found there until `move_materials` has moved them.
MATERIALS_STORAGE: str = env.str("MATERIALS_STORAGE", "local", validate=validate.OneOf(["local", "cloudinary", "s3"]))
_MEBIBYTE = 1024 * 1024
MATERIALS_MAX_BYTES: int = env.int("MATERIALS_MAX_BYTES", 25 * _MEBIBYTE, validate=validate.Range(min=1))
MATERIALS_MAX_BYTES_PER_SESSION: int = env.int(
    "MATERIALS_MAX_BYTES_PER_SESSION", 500 * _MEBIBYTE, validate=validate.Range(min=1)
)
MATERIALS_MAX_BYTES_PER_MEMBER: int = env.int(
    "MATERIALS_MAX_BYTES_PER_MEMBER", 2048 * _MEBIBYTE, validate=validate.Range(min=1)
)
MATERIALS_MAX_PER_SESSION: int = env.int("MATERIALS_MAX_PER_SESSION", 100, validate=validate.Range(min=1))
# Of all notes together.
MATERIALS_MAX_NOTE_CHARACTERS_PER_SESSION: int = env.int(
    "MATERIALS_MAX_NOTE_CHARACTERS_PER_SESSION", 500_000, validate=validate.Range(min=1)
)
# What a browser that shows a picture has to hold is four bytes for each of them.
MATERIALS_MAX_PIXELS: int = env.int("MATERIALS_MAX_PIXELS", 120_000_000, validate=validate.Range(min=1))
MATERIALS_URL_MINUTES: int = env.int("MATERIALS_URL_MINUTES", 10, validate=validate.Range(min=1))
# For each answer of a storage or of the virus scanner.
MATERIALS_TIMEOUT_SECONDS: int = env.int("MATERIALS_TIMEOUT_SECONDS", 30, validate=validate.Range(min=1))
# The folder or prefix for those whose account or bucket holds other things as well.
MATERIALS_PREFIX: str = env.str(
    "MATERIALS_PREFIX",
    "materials",
    validate=validate.Regexp(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\Z", error="A folder, as in school/materials."),
)
CLAMAV_URL: str = env.value("CLAMAV_URL", "", environment.read_scanner_url)

STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "materials_local": {
        "BACKEND": "core.storages.local.LocalStorage",
        "OPTIONS": {"location": str(DATA_DIR / "materials")},
    },
}

_cloudinary = urlsplit(
    env.str(
        "CLOUDINARY_URL",
        "",
        validate=validate.Regexp(
            r"(cloudinary://[\w%.~-]+:[\w%.~-]+@[\w-]+/?)?\Z", error="Write it as cloudinary://key:secret@cloud."
        ),
    )
)
_cloudinary_minutes: int = env.int("CLOUDINARY_URL_MINUTES", 0, validate=validate.Range(min=0))
_cloudinary_api: str = env.value("CLOUDINARY_API_URL", "https://api.cloudinary.com", environment.read_web_address)
_cloudinary_delivery: str = env.value(
    "CLOUDINARY_DELIVERY_URL", "https://res.cloudinary.com", environment.read_web_address
)
if _cloudinary.hostname:
    STORAGES["materials_cloudinary"] = {
        "BACKEND": "core.storages.cloudinary.CloudinaryStorage",
        "OPTIONS": {
            # As written: a host name would be made small.
            "cloud_name": _cloudinary.netloc.rpartition("@")[2],
            "api_key": unquote(_cloudinary.username or ""),
            "api_secret": unquote(_cloudinary.password or ""),
            "api_url": _cloudinary_api.rstrip("/"),
            "delivery_url": _cloudinary_delivery.rstrip("/"),
            "prefix": MATERIALS_PREFIX,
            "timeout": MATERIALS_TIMEOUT_SECONDS,
            # Without a lifetime, who has an address may read that file for as long as it is there.
            "link_seconds": _cloudinary_minutes * 60 or None,
        },
    }

_s3_bucket: str = env.str("S3_BUCKET", "")
_s3: dict[str, Any] = {
    # The address without a name is the default, Amazon's own.
    "endpoint_url": env.value("S3_ENDPOINT_URL", "", environment.read_web_address) or None,
    "region_name": env.str("S3_REGION", "us-east-1"),
    # Without them those are used that the machine has: a role, or a file of credentials.
    "access_key": env.str("S3_ACCESS_KEY_ID", "") or None,
    "secret_key": env.str("S3_SECRET_ACCESS_KEY", "") or None,
    "addressing_style": env.str("S3_ADDRESSING_STYLE", "auto", validate=validate.OneOf(["auto", "path", "virtual"])),
}
if _s3_bucket:
    STORAGES["materials_s3"] = {
        "BACKEND": "core.storages.s3.S3Storage",
        "OPTIONS": {
            **_s3,
            "bucket_name": _s3_bucket,
            "location": MATERIALS_PREFIX,
            "querystring_expire": MATERIALS_URL_MINUTES * 60,
            "timeout": MATERIALS_TIMEOUT_SECONDS,
        },
    }
# --- Files of the portal, and bodies ----------------------------------------------------------------------------

MEDIA_ROOT = DATA_DIR / "media"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
# In development files come straight from the packages; elsewhere `collectstatic` has put them into STATIC_ROOT.
SERVESTATIC_USE_FINDERS = DEBUG
SERVESTATIC_AUTOREFRESH = DEBUG

# A body larger than this is refused, unless it is a form for an operation that takes files; a file is held to
# MATERIALS_MAX_BYTES while it is read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# The first reads forms as clients really send them; the others keep the files.
FILE_UPLOAD_HANDLERS = [
    "core.http.multipart.FormUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# Beyond what any operation takes: answered 413 without being read. Twice the file limit, so that a file that is
# merely too large still gets the answer that names its field.
REQUEST_MAX_BYTES = 2 * MATERIALS_MAX_BYTES + DATA_UPLOAD_MAX_MEMORY_SIZE
# What is smaller waits in memory until it is stored, and there are many at once.
FILE_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
# Uploads that one member may have on their way to one web process: a browser opens six connections to a host.
UPLOADS_MAX_AT_ONCE_PER_MEMBER: int = env.int("UPLOADS_MAX_AT_ONCE_PER_MEMBER", 10, validate=validate.Range(min=1))
# A body is given up with a 408 when so many seconds have not brought its end, nor as many bytes a second.
REQUEST_BODY_SECONDS: int = env.int("REQUEST_BODY_SECONDS", 20, validate=validate.Range(min=1))
REQUEST_MIN_BYTES_PER_SECOND: int = env.int("REQUEST_MIN_BYTES_PER_SECOND", 1000, validate=validate.Range(min=1))

# --- Background work --------------------------------------------------------------------------------------------

HUEY: dict[str, Any] = {
    "name": "learning",
    "immediate": False,
    "results": False,
    "utc": True,
    "consumer": {
        "workers": env.int("WORKER_THREADS", 2, validate=validate.Range(min=1)),
        "worker_type": "thread",
        "check_worker_health": True,
        # A file has to be looked into again and again; for mail that somebody waits for, each second at least.
        "max_delay": 1,
        # What asks for the end lets it finish what it has in hand, within a time that those who ask are patient for.
        "graceful_signal": "TERM",
        "shutdown_timeout": 8,
    },
    **(
        {"huey_class": "huey.RedisHuey", "storage_class": RedisQueue, "url": REDIS_URL}
        if REDIS_URL
        else {
            "huey_class": "huey.SqliteHuey",
            "storage_class": SqliteQueue,
            "filename": str(DATA_DIR / "queue.sqlite3"),
            # In seconds, for the worker: who enqueues has less (core.jobs.task_queue.storages).
            "timeout": 20,
        }
    ),
}

# Minutes before a session's start at which its people are reminded.
REMINDER_MINUTES: list[int] = env.items("REMINDER_MINUTES", [24 * 60, 60], environment.read_minutes)

# --- Members and tokens -----------------------------------------------------------------------------------------

# In days. What lasts much longer has no end that a date can name.
_YEAR = 365

AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = ["core.accounts.backends.MemberBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "core.accounts.passwords.OfNormalized",
        "OPTIONS": {"validator": f"django.contrib.auth.password_validation.{name}"},
    }
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_RESET_TIMEOUT: int = env.int(
    "PASSWORD_RESET_SECONDS", 24 * 3600, validate=validate.Range(60, _YEAR * 24 * 3600)
)

ACCESS_TOKEN_LIFETIME = timedelta(
    minutes=env.int("ACCESS_TOKEN_MINUTES", 10, validate=validate.Range(1, _YEAR * 24 * 60))
)
REFRESH_TOKEN_LIFETIME = timedelta(days=env.int("REFRESH_TOKEN_DAYS", 14, validate=validate.Range(1, 10 * _YEAR)))
# By how much the clock of another machine that signs tokens may be ahead of this one's. No token lives longer for it.
CLOCK_LEEWAY_SECONDS = 10
# All of them, since the library fills what is missing from environment variables without a prefix.
NINJA_JWT = {
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": REFRESH_TOKEN_LIFETIME,
    "ROTATE_REFRESH_TOKENS": False,
    "BLACKLIST_AFTER_ROTATION": False,
    "UPDATE_LAST_LOGIN": False,
    "ALGORITHM": "HS256",
    "SIGNING_KEY": SECRET_KEY,
    "VERIFYING_KEY": "",
    "AUDIENCE": None,
    "ISSUER": None,
    "JWK_URL": None,
    "LEEWAY": CLOCK_LEEWAY_SECONDS,
    "USER_ID_FIELD": "id",
    "USER_ID_CLAIM": "user_id",
    "TOKEN_TYPE_CLAIM": "token_type",
    "JTI_CLAIM": "jti",
    "JSON_ENCODER": None,
}

LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# --- Mail -------------------------------------------------------------------------------------------------------

_email: dict[str, Any] = env.value(
    "EMAIL_URL",
    environment.read_email_url("console://" if DEBUG else "smtp://localhost:25"),
    environment.read_email_url,
)
EMAIL_BACKEND = _email["EMAIL_BACKEND"].replace("django.core.mail.backends.smtp", "core.mail.smtp")
EMAIL_HOST = _email.get("EMAIL_HOST", "")
EMAIL_PORT = _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(_email.get("EMAIL_USE_TLS"))
EMAIL_USE_SSL = bool(_email.get("EMAIL_USE_SSL"))
EMAIL_FILE_PATH = _email["EMAIL_FILE_PATH"] if EMAIL_BACKEND.endswith("filebased.EmailBackend") else None
# In seconds, for each answer: a server may look at a mail for long before it takes it. The conversation about one mail
# has an end of its own (core.mail.sending).
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL: str = env.value("DEFAULT_FROM_EMAIL", "Peer Learning <noreply@localhost>", environment.read_sender)

# How long news of one session waits for more of it, so that several changes make one mail.
MAIL_DELAY = timedelta(seconds=env.int("MAIL_DELAY_SECONDS", 120, validate=validate.Range(0, _YEAR * 24 * 3600)))

# --- Language, time and logs ------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

_log_level: int = env.log_level("LOG_LEVEL", logging.INFO)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "core.monitoring.request_id.RequestIdFilter"},
        "tokens": {
            "()": "core.monitoring.logs.TokenFilter",
            "secrets": [
                SECRET_KEY,
                _database.get("PASSWORD", ""),
                unquote(urlsplit(REDIS_URL).password or ""),
                EMAIL_HOST_PASSWORD,
                unquote(_cloudinary.password or ""),
                _s3["secret_key"],
            ],
        },
    },
    "formatters": {"line": {"format": "{asctime} {levelname} {name} [{request_id}] {message}", "style": "{"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id", "tokens"]},
        # Without any handler Python would print them by itself.
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": _log_level},
    "loggers": {
        # Django's own handler would mail and print the same records a second time.
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # Anybody can send a wrong name, any number of times; the answer says enough.
        "django.security.DisallowedHost": {"handlers": [], "propagate": False},
        # The queue tells of every task that it enqueues, and brings a handler of its own.
        "huey": {"handlers": ["stderr"], "propagate": False, "level": "WARNING"},
        # So does the web server.
        "_granian": {"handlers": ["stderr"], "propagate": False},
        "granian.access": {"handlers": ["stderr"], "propagate": False},
        # In detail they tell the values in each query, keys of sessions among them, and all that is signed and sent.
        **{
            name: {"level": max(_log_level, logging.INFO)}
            for name in ("django.db.backends", "botocore", "boto3", "s3transfer", "urllib3")
        },
    },
}

# --- The admin --------------------------------------------------------------------------------------------------


def _asset(name: str) -> Callable[[object], str]:
    """Where a file of the portal is found: known only once the apps are loaded."""
    return lambda _request: static(f"portal/{name}")


UNFOLD = {
    "SITE_TITLE": "Peer Learning",
    "SITE_HEADER": "Peer Learning",
    "SITE_SUBHEADER": "Moderation",
    "SITE_SYMBOL": "school",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _asset("icon.svg")}],
    "ENVIRONMENT": "core.admin.background.sign_of_lateness",
    "SHOW_VIEW_ON_SITE": False,
    # Django's own log of the admin: what happened to a session is in the record of facts.
    "SHOW_HISTORY": False,
    "SIDEBAR": {"navigation": "core.portal.navigation.navigation"},
    "DASHBOARD_CALLBACK": "core.portal.dashboard.dashboard",
    "STYLES": [_asset(name) for name in ("accessible.css", "portal.css", "page.css", "queue.css")],
    "SCRIPTS": [_asset(name) for name in ("controls.js", "dialogs.js", "shortcuts.js")],
}
