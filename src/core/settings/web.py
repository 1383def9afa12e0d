"""Host and port, keys, allowed hosts, URLs of the app and the site, CORS, TLS and cookies."""

from corsheaders.defaults import default_headers
from environs import validate

from core.settings import environment
from core.settings.base import env

HOST: str = env.value("HOST", "127.0.0.1", environment.parse_listening_host)
PORT: int = env.int("PORT", 8000, validate=validate.Range(1, 65535))
DEBUG: bool = env.bool("DEBUG", True)
# How many web processes share this configuration; several need PostgreSQL and Redis (core.settings.checks).
WEB_PROCESSES: int = env.int("WEB_PROCESSES", 1, validate=validate.Range(min=1))

# Public, so that `core.settings.checks` and `./just up` refuse it on servers.
BUILT_IN_SECRET_KEY = "built-in-key-for-one-machine-only-never-for-a-server-that-others-reach"
SECRET_KEY: str = env.str("SECRET_KEY", BUILT_IN_SECRET_KEY)

_local_hosts = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS: list[str] = env.items("ALLOWED_HOSTS", _local_hosts if DEBUG else [], environment.parse_allowed_host)
CSRF_TRUSTED_ORIGINS: list[str] = env.items("CSRF_TRUSTED_ORIGINS", [], environment.parse_trusted_origin)

# The base URL of the single-page app, and the paths that mails and calendars link to.
FRONTEND_URL: str = env.value("FRONTEND_URL", "http://localhost:3000", environment.parse_web_address)
FRONTEND_SESSION_PATH: str = env.value(
    "FRONTEND_SESSION_PATH",
    "/sessions/{id}",
    environment.build_path_parser(example="/sessions/{id}", required=("id",)),
)
FRONTEND_PASSWORD_RESET_PATH: str = env.value(
    "FRONTEND_PASSWORD_RESET_PATH",
    "/reset-password",
    environment.build_path_parser(example="/reset-password or /reset/{uid}/{token}", optional=("uid", "token")),
)
FRONTEND_EMAIL_CONFIRMATION_PATH: str = env.value(
    "FRONTEND_EMAIL_CONFIRMATION_PATH",
    "/confirm-email",
    environment.build_path_parser(example="/confirm-email or /confirm/{token}", optional=("token",)),
)

# The public base URL of this service, for links that work without the app, such as those to unsubscribe.
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
    # Include X-CSRFToken, which clients of Django APIs send with every request.
    *default_headers,
    "idempotency-key",
    # For range requests.
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

# The header of a proxy that terminates TLS. It is trusted only if the deployer says that there is such a proxy.
BEHIND_TLS_PROXY: bool = env.bool("BEHIND_TLS_PROXY", False)
_hsts_seconds: int = env.int("SECURE_HSTS_SECONDS", 3600, validate=validate.Range(min=0))
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = _hsts_seconds
    SECURE_SSL_REDIRECT = True
# Under /api/ plain HTTP is an error: a redirect would hide from a client that it has sent its token unencrypted.
SECURE_REDIRECT_EXEMPT = [r"^api/"]
# HSTS for subdomains, and its preload list: this deployment cannot decide for other subdomains.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = BEHIND_TLS_PROXY
CSRF_COOKIE_SECURE = BEHIND_TLS_PROXY
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
