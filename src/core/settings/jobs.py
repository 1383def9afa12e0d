"""The task queue and its worker."""

from typing import Any

from environs import validate

from core.jobs.task_queue.storages import RedisQueue, SqliteQueue
from core.settings.base import DATA_DIR, env
from core.settings.database import REDIS_URL

HUEY: dict[str, Any] = {
    "name": "learning",
    "immediate": False,
    "results": False,
    "utc": True,
    "consumer": {
        "workers": env.int("WORKER_THREADS", 2, validate=validate.Range(min=1)),
        "worker_type": "thread",
        "check_worker_health": True,
        # In seconds: the longest pause of the worker between two polls of an empty queue.
        "max_delay": 1,
        # On SIGTERM the worker finishes its current tasks, before the supervisor would send SIGKILL.
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
            # In seconds, for the worker; enqueueing has a shorter one (core.jobs.task_queue.storages).
            "timeout": 20,
        }
    ),
}
