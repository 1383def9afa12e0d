"""Logging: handlers, levels, and the redaction of secrets."""

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
        "redaction": {
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
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id", "redaction"]},
        # Records without any handler would be printed by Python.
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": _log_level},
    "loggers": {
        # Django's own handlers would print the same records again, and mail them.
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # Clients can send any number of wrong hosts.
        "django.security.DisallowedHost": {"handlers": [], "propagate": False},
        # Huey logs each enqueued task, and brings a handler of its own.
        "huey": {"handlers": ["stderr"], "propagate": False, "level": "WARNING"},
        # The web server brings handlers, too.
        "_granian": {"handlers": ["stderr"], "propagate": False},
        "granian.access": {"handlers": ["stderr"], "propagate": False},
        # On the level DEBUG these log the parameters of queries (session keys among them) and signed requests.
        **{
            name: {"level": max(_log_level, logging.INFO)}
            for name in ("django.db.backends", "botocore", "boto3", "s3transfer", "urllib3")
        },
    },
}
