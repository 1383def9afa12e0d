"""How mail is sent."""

from datetime import timedelta
from typing import Any

from environs import validate

from core.settings import environment
from core.settings.base import YEAR_DAYS, env
from core.settings.web import DEBUG

_email: dict[str, Any] = env.value(
    "EMAIL_URL",
    environment.parse_email_url("console://" if DEBUG else "smtp://localhost:25"),
    environment.parse_email_url,
)
EMAIL_BACKEND = _email["EMAIL_BACKEND"].replace("django.core.mail.backends.smtp", "core.mail.smtp")
EMAIL_HOST = _email.get("EMAIL_HOST", "")
EMAIL_PORT = _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(_email.get("EMAIL_USE_TLS"))
EMAIL_USE_SSL = bool(_email.get("EMAIL_USE_SSL"))
EMAIL_FILE_PATH = _email["EMAIL_FILE_PATH"] if EMAIL_BACKEND.endswith("filebased.EmailBackend") else None
# In seconds, for each response: a server may scan a mail for long. core.mail.transport limits the whole SMTP dialogue
# about one mail.
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL: str = env.value("DEFAULT_FROM_EMAIL", "Peer Learning <noreply@localhost>", environment.parse_sender)

# The debounce of mails about one session, so that several changes make one mail.
MAIL_DELAY = timedelta(seconds=env.int("MAIL_DELAY_SECONDS", 120, validate=validate.Range(0, YEAR_DAYS * 24 * 3600)))
