"""The database and the cache."""

from typing import Any

from environs import validate

from core.settings import environment
from core.settings.base import DATA_DIR, env

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_database: dict[str, Any] = env.value(
    "DATABASE_URL",
    {"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA_DIR / "database.sqlite3")},
    environment.parse_database_url,
)
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["OPTIONS"] = {
        # Writers wait for the lock at BEGIN; in the default mode, a reader that becomes a writer fails at once.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # Under ASGI each request may run in another thread, where a persistent connection would leak. Connections go back
    # to the pool instead.
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

# Statement timeouts, 0 for none: for web requests, and for jobs and commands (migrations included).
DATABASE_STATEMENT_TIMEOUT_SECONDS: float = env.float(
    "DATABASE_STATEMENT_TIMEOUT_SECONDS", 10, validate=validate.Range(min=0)
)
DATABASE_JOB_STATEMENT_TIMEOUT_SECONDS: float = env.float(
    "DATABASE_JOB_STATEMENT_TIMEOUT_SECONDS", 3600, validate=validate.Range(min=0)
)

REDIS_URL: str = env.value("REDIS_URL", "", environment.parse_redis_url)
CACHES = {
    "default": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            # In seconds. Beyond that, a page takes longer with the cache than without.
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        }
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}
