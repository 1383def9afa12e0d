"""`./just up` and the worker as processes: starting, refusing to start, and stopping without leaving processes or
half-done work behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.system.product import SOURCE, Product, wait_for, wait_until_gone, wait_until_up

KEY = "a-key-of-32-characters-and-more-for-this-test"

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes in /proc"),
]


def test_the_first_start_loads_demo_data_and_the_second_keeps_the_data(product: Product) -> None:
    first = product.start()
    wait_until_up(product)

    site = f"http://127.0.0.1:{product.port}"
    for place in (f"{site}/api/docs", f"{site}/admin/", product.environment["DATA_DIR"]):
        assert place in product.printed
    for demo in ("john_doe", "moderator", "learn-together"):
        assert demo in product.printed
    assert product.get("/healthz") == 200
    assert product.get("/api/docs") == 200
    assert product.log_in("john_doe")
    assert len(product.processes()) >= 4

    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=30) == 0
    wait_until_gone(product)

    second = product.start()
    wait_until_up(product)
    assert "Loading" not in product.printed
    assert product.log_in("moderator")

    second.send_signal(signal.SIGINT)
    assert second.wait(timeout=30) == 0
    wait_until_gone(product)


def test_no_process_outlives_a_killed_supervisor(product: Product) -> None:
    supervisor = product.start(DEBUG="false", SECRET_KEY=KEY, ALLOWED_HOSTS="localhost")
    wait_until_up(product)

    supervisor.kill()
    supervisor.wait()

    wait_until_gone(product, seconds=20)


def test_when_one_child_dies_the_others_are_stopped(product: Product) -> None:
    supervisor = product.start(DEBUG="false", SECRET_KEY=KEY, ALLOWED_HOSTS="localhost")
    wait_until_up(product)

    [worker] = [pid for pid in product.processes() if b"run_huey" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(worker, signal.SIGKILL)

    assert supervisor.wait(timeout=30) != 0
    assert "The worker process ended by itself (killed by SIGKILL)" in product.printed
    wait_until_gone(product)


def test_on_all_interfaces_it_starts_with_its_own_key_and_without_demo_data(product: Product) -> None:
    supervisor = product.start(HOST="0.0.0.0", DEBUG="false", SECRET_KEY=KEY, ALLOWED_HOSTS="learning.example")
    wait_until_up(product)

    assert product.get("/healthz", host="learning.example") == 200
    assert "learn-together" not in product.printed

    supervisor.terminate()
    assert supervisor.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"HOST": "0.0.0.0"}, "SECRET_KEY is the built-in one"),
        ({"HOST": "0.0.0.0", "SECRET_KEY": KEY}, "DEBUG is on"),
        ({"DEBUG": "false", "SECRET_KEY": "short", "ALLOWED_HOSTS": "localhost"}, "SECRET_KEY has less than 32"),
        ({"CSRF_TRUSTED_ORIGINS": "learning.example"}, "CSRF_TRUSTED_ORIGINS"),
        ({"CORS_ALLOWED_ORIGINS": "localhost:3000"}, "CORS_ALLOWED_ORIGINS"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "the server of REDIS_URL does not answer"),
        ({"DEBUG": "false", "ALLOWED_HOSTS": "localhost"}, "SECRET_KEY is the built-in one"),
        ({"HOST": "nowhere.invalid", "DEBUG": "false", "SECRET_KEY": KEY, "ALLOWED_HOSTS": "x"}, "cannot be used"),
    ],
)
def test_unsafe_or_invalid_settings_prevent_the_start(
    product: Product, environment: dict[str, str], message: str
) -> None:
    code, printed = product.run(**environment)

    assert code != 0
    assert re.search(f"Not started: .*{message}", printed)
    assert "Preparing" not in printed


def test_a_port_in_use_prevents_the_start(product: Product) -> None:
    with socket.create_server(("127.0.0.1", product.port)):
        code, printed = product.run()

    assert code != 0
    assert f"something else listens on port {product.port}" in printed
    assert "PORT=" in printed


# Creates sessions without participants whose start has passed.
CREATE_OVERDUE = """
from datetime import timedelta
from core.time import clock
from core.accounts.models import User
from modules.sessions.models import Session
john = User.objects.create(username="john")
now = clock.now()
Session.objects.bulk_create(
    Session(
        title="Knots", description="Rope", subject="Crafts", subject_key="crafts", level="beginner", creator=john,
        status="approved", approved_at=now, date=now - timedelta(hours=1), ends_at=now, moves_at=now,
        duration=60, max_participants=5,
    )
    for _ in range({overdue})
)
"""
ADVANCE = "from modules.sessions.services.life_cycle import advance_due_sessions; advance_due_sessions()"
COUNT_EXPIRED = "SELECT count(*) FROM learning_sessions_session WHERE status = 'expired'"
COUNT_FACTS = "SELECT count(*) FROM core_factrecord WHERE name = 'sessions.SessionExpired'"
COUNT_SESSIONS_OF_FACTS = (
    "SELECT count(DISTINCT session_id) FROM core_factrecord WHERE name = 'sessions.SessionExpired'"
)


@pytest.mark.parametrize(
    ("stop_signal", "overdue"),
    [
        # More than the worker handles within the timeout.
        (signal.SIGTERM, 1500),
        (signal.SIGKILL, 300),
    ],
)
def test_a_worker_that_is_stopped_within_a_job_leaves_no_session_half_done(
    product: Product, stop_signal: signal.Signals, overdue: int
) -> None:
    product.manage("migrate", "--verbosity", "0")
    product.manage("shell", "--verbosity", "0", "--command", CREATE_OVERDUE.format(overdue=overdue))

    worker = product.start("run_huey")
    wait_for(lambda: product.query(COUNT_EXPIRED) > 0, product)
    worker.send_signal(stop_signal)
    # Supervisors usually send SIGKILL after ten seconds.
    assert worker.wait(timeout=10) == (0 if stop_signal == signal.SIGTERM else -signal.SIGKILL)

    expired = product.query(COUNT_EXPIRED)
    assert 0 < expired <= overdue
    assert product.query(COUNT_FACTS) == product.query(COUNT_SESSIONS_OF_FACTS) == expired

    product.manage("shell", "--verbosity", "0", "--command", ADVANCE)
    assert (
        product.query(COUNT_EXPIRED) == product.query(COUNT_FACTS) == product.query(COUNT_SESSIONS_OF_FACTS) == overdue
    )


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("child", flush=True)
time.sleep(60)
"""

SUPERVISOR = """
import sys
from pathlib import Path
from core.management.supervisor import Supervisor
failure = Supervisor(Path.cwd(), grace_seconds=int(sys.argv[1])).run(
    {"stubborn": [sys.executable, "-c", sys.argv[2]]}, is_ready=lambda: True, when_ready=lambda: None
)
sys.exit(failure)
"""


@pytest.mark.parametrize(("grace_seconds", "interrupts"), [(1, 1), (60, 2)])
def test_a_child_that_ignores_sigterm_is_killed_with_its_descendants(
    product: Product, grace_seconds: int, interrupts: int
) -> None:
    """After the grace period, or at once on a second Ctrl-C."""
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(grace_seconds), STUBBORN],
        cwd=SOURCE,
        env=product.environment,
        stdout=subprocess.PIPE,
    ) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == b"child\n"
        for _ in range(interrupts):
            supervisor.send_signal(signal.SIGINT)
            # Pending signals are merged.
            time.sleep(1)

        assert supervisor.wait(timeout=20) == 0

    wait_until_gone(product)
