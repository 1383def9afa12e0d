"""`./just up` and its worker as processes: what they start, print and refuse, and that nothing stays behind, be it a
process or work half done."""

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

# One after the other, each being several processes.
KEY = "a-key-of-32-characters-and-more-for-this-test"

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes in /proc"),
]


def test_the_first_start_loads_the_demo_and_the_second_keeps_what_is_there(product: Product) -> None:
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


def test_nothing_outlives_a_supervisor_that_was_killed(product: Product) -> None:
    supervisor = product.start(DEBUG="false", SECRET_KEY=KEY, ALLOWED_HOSTS="localhost")
    wait_until_up(product)

    supervisor.kill()
    supervisor.wait()

    wait_until_gone(product, seconds=20)


def test_when_one_child_dies_the_other_is_stopped(product: Product) -> None:
    supervisor = product.start(DEBUG="false", SECRET_KEY=KEY, ALLOWED_HOSTS="localhost")
    wait_until_up(product)

    [worker] = [pid for pid in product.processes() if b"run_huey" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(worker, signal.SIGKILL)

    assert supervisor.wait(timeout=30) != 0
    assert "The worker process ended by itself (killed by SIGKILL)" in product.printed
    wait_until_gone(product)


def test_open_to_others_it_starts_with_a_key_of_its_own_and_without_the_demo(product: Product) -> None:
    supervisor = product.start(HOST="0.0.0.0", DEBUG="false", SECRET_KEY=KEY, ALLOWED_HOSTS="learning.example")
    wait_until_up(product)

    assert product.get("/healthz", host="learning.example") == 200
    assert "learn-together" not in product.printed

    supervisor.terminate()
    assert supervisor.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("environment", "words"),
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
def test_what_is_unsafe_is_not_started(product: Product, environment: dict[str, str], words: str) -> None:
    code, printed = product.run(**environment)

    assert code != 0
    assert re.search(f"Not started: .*{words}", printed)
    assert "Preparing" not in printed


def test_a_taken_port_is_named(product: Product) -> None:
    with socket.create_server(("127.0.0.1", product.port)):
        code, printed = product.run()

    assert code != 0
    assert f"something else listens on port {product.port}" in printed
    assert "PORT=" in printed


# As many sessions, none of which anybody has joined, and whose start has passed.
FILL = """
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
SWEEP = "from modules.sessions.services.life_cycle import advance_due_sessions; advance_due_sessions()"
MOVED = "SELECT count(*) FROM learning_sessions_session WHERE status = 'expired'"
TOLD = "SELECT count(*) FROM core_factrecord WHERE name = 'sessions.SessionExpired'"
TOLD_OF = "SELECT count(DISTINCT session_id) FROM core_factrecord WHERE name = 'sessions.SessionExpired'"


@pytest.mark.parametrize(
    ("ending", "overdue"),
    [
        # More than it would get done within its grace.
        (signal.SIGTERM, 1500),
        (signal.SIGKILL, 300),
    ],
)
def test_a_worker_that_is_stopped_in_the_middle_of_its_work_leaves_nothing_half_done(
    product: Product, ending: signal.Signals, overdue: int
) -> None:
    product.manage("migrate", "--verbosity", "0")
    product.manage("shell", "--verbosity", "0", "--command", FILL.format(overdue=overdue))

    worker = product.start("run_huey")
    wait_for(lambda: product.query(MOVED) > 0, product)
    worker.send_signal(ending)
    # Ten seconds are what those who stop it wait for, before they kill it.
    assert worker.wait(timeout=10) == (0 if ending == signal.SIGTERM else -signal.SIGKILL)

    moved = product.query(MOVED)
    assert 0 < moved <= overdue
    assert product.query(TOLD) == product.query(TOLD_OF) == moved

    product.manage("shell", "--verbosity", "0", "--command", SWEEP)
    assert product.query(MOVED) == product.query(TOLD) == product.query(TOLD_OF) == overdue


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
def test_a_child_that_will_not_go_is_killed_with_its_helpers(
    product: Product, grace_seconds: int, interrupts: int
) -> None:
    """After the grace, or at once at a second Ctrl-C."""
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
            # Two signals at once are one.
            time.sleep(1)

        assert supervisor.wait(timeout=20) == 0

    wait_until_gone(product)
