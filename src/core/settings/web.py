"""Where it listens, by which names it is called, and who may call it from a browser."""

from corsheaders.defaults import default_headers
from environs import validate

from core.settings import environment
from core.settings.base import env

HOST: str = env.value("HOST", "127.0.0.1", environment.parse_listening_host)
PORT: int = env.int("PORT", 8000, validate=validate.Range(1, 65535))
DEBUG: bool = env.bool("DEBUG", True)
# How many web processes share this configuration: what one may have for itself, several may not.
WEB_PROCESSES: int = env.int("WEB_PROCESSES", 1, validate=validate.Range(min=1))

# Known to everybody who reads this file: `core.settings.checks` and `./just up` refuse it.
BUILT_IN_SECRET_KEY = "built-in-key-for-one-machine-only-never-for-a-server-that-others-reach"
SECRET_KEY: str = env.str("SECRET_KEY", BUILT_IN_SECRET_KEY)

_local_hosts = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS: list[str] = env.items("ALLOWED_HOSTS", _local_hosts if DEBUG else [], environment.parse_allowed_host)
CSRF_TRUSTED_ORIGINS: list[str] = env.items("CSRF_TRUSTED_ORIGINS", [], environment.parse_trusted_origin)

# Where the app is, and the paths of it that mails and calendars lead to.
FRONTEND_URL: str = env.value("FRONTEND_URL", "http://localhost:3000", environment.parse_web_address)
FRONTEND_SESSION_PATH: str = env.value(
    "FRONTEND_SESSION_PATH",
    "/sessions/{id}",
    environment.parse_frontend_path(example="/sessions/{id}", required=("id",)),
)
FRONTEND_PASSWORD_RESET_PATH: str = env.value(
    "FRONTEND_PASSWORD_RESET_PATH",
    "/reset-password",
    environment.parse_frontend_path(example="/reset-password or /reset/{uid}/{token}", optional=("uid", "token")),
)
FRONTEND_EMAIL_CONFIRMATION_PATH: str = env.value(
    "FRONTEND_EMAIL_CONFIRMATION_PATH",
    "/confirm-email",
    environment.parse_frontend_path(example="/confirm-email or /confirm/{token}", optional=("token",)),
)

# How this service is called from outside: where the links begin that work without the app, as those to unsubscribe.
_scheme = "https" if env.bool("BEHIND_TLS_PROXY", False) else "http"
_names = [name.lstrip(".") for name in ALLOWED_HOSTS if name != "*"]
SITE_URL: str = env.value(
    "SITE_URL",
    f"http://localhost:{PORT}" if DEBUG or not _names else f"{_scheme}://{_names[0]}",
    environment.parse_web_address,
)

CORS_ALLOWED_ORIGINS: list[str] = env.items(
    "CORS_ALLOWED_ORIGINS",
    ["http://localhost:3000", "http://127.0.0.1:3000"] if DEBUG else [],
    environment.parse_origin,
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
