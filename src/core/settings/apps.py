"""Apps, middleware, templates, language and time zone."""

from core.settings import environment
from core.settings.base import CHECKOUT, env

# Each is optional: the others work without it.
MODULES: list[str] = env.items(
    "MODULES", ["modules.sessions", "modules.notifications", "modules.materials"], environment.parse_module
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
    # Before everything that may respond, since other origins can only read responses with CORS headers.
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
    "core.portal.error_middleware.PortalErrorMiddleware",
    "core.portal.time_zone_middleware.MemberTimeZoneMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "core.urls"
ASGI_APPLICATION = "core.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Searched before the templates of apps, so that ours override those of unfold.
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

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
