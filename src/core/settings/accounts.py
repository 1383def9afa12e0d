"""Members, passwords and tokens."""

from datetime import timedelta

from environs import validate

from core.settings.base import YEAR_DAYS, env
from core.settings.web import SECRET_KEY

AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = ["core.accounts.backends.MemberBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "core.accounts.passwords.NormalizedPasswordValidator",
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
    "PASSWORD_RESET_SECONDS", 24 * 3600, validate=validate.Range(60, YEAR_DAYS * 24 * 3600)
)

ACCESS_TOKEN_LIFETIME = timedelta(
    minutes=env.int("ACCESS_TOKEN_MINUTES", 10, validate=validate.Range(1, YEAR_DAYS * 24 * 60))
)
REFRESH_TOKEN_LIFETIME = timedelta(days=env.int("REFRESH_TOKEN_DAYS", 14, validate=validate.Range(1, 10 * YEAR_DAYS)))
# How far ahead the clock of another machine that signs tokens may be. It does not extend the lifetime of tokens.
CLOCK_LEEWAY_SECONDS = 10
# Complete, since the library reads missing settings from environment variables without a prefix.
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
