"""What is logged, and what never is."""

import logging
from urllib.parse import unquote, urlsplit

from core.settings.base import env
from core.settings.database import DATABASES, REDIS_URL
from core.settings.mail import EMAIL_HOST_PASSWORD
from core.settings.materials import cloudinary_api_secret, s3_secret_access_key
from core.settings.web import SECRET_KEY

_log_level: int = env.log_level("LOG_LEVEL", logging.INFO)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "core.monitoring.request_id.RequestIdFilter"},
        "tokens": {
            "()": "core.monitoring.logs.RedactionFilter",
            "secrets": [
                SECRET_KEY,
                DATABASES["default"].get("PASSWORD", ""),
                unquote(urlsplit(REDIS_URL).password or ""),
                EMAIL_HOST_PASSWORD,
                cloudinary_api_secret,
                s3_secret_access_key,
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
