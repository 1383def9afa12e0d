"""Nobody enqueues, or waits for a commit, but the one place that does."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[4]
SOURCE = CHECKOUT / "src"
THE_ONE = "core/jobs/task_queue/enqueueing.py"

# What nobody may write. The linter says so already of what it can name.
PLANTED = [
    "from django.db import transaction\ntransaction.on_commit(print)",
    "from django.db.transaction import on_commit\non_commit(print)",
    "from django.db import connection\nconnection.on_commit(print)",
    "from django.db import connections\nconnections['default'].on_commit(print)",
    "from huey.contrib.djhuey import enqueue\nenqueue(None)",
    "from huey.contrib import djhuey\ndjhuey.HUEY.enqueue(None)",
    "from huey.contrib.djhuey import on_commit_task\n@on_commit_task()\ndef work(): ...",
    "from huey.contrib.djhuey import task\n@task()\ndef work(): ...",
    "from core.tasks import wake_sender\nwake_sender()",
    "from core import tasks\ntasks.wake_sender()",
    "from core.tasks import wake_sender\nwake_sender.schedule(delay=5)",
    "from core.tasks import wake_sender as wake\nlambda: wake()",
    "from core.tasks import wake_sender\nwake_sender.map([()])",
    "from core.tasks import send_mail_that_is_due\nsend_mail_that_is_due()",
]
BANNED_BY_THE_LINTER = [0, 1, 2, 4, 5, 6, 7]

ALLOWED = [
    "from core.jobs.task_queue.enqueueing import enqueue_after_commit as later\nlater(wake_sender)",
    "from core.tasks import wake_sender\nwake_sender.call_local()",
]


def name_of(node: ast.expr) -> str:
    """The last part of `a.b.c`, and what is called of a call."""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def tasks_in(tree: ast.Module) -> Iterator[str]:
    """The functions that are tasks."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            decorators = {name_of(decorator) for decorator in node.decorator_list}
            if decorators & {"db_task", "task", "periodic_job", "on_commit_task", "db_periodic_task", "periodic_task"}:
                yield node.name


def offences(tree: ast.Module, tasks: set[str]) -> Iterator[str]:
    """Where somebody enqueues, or waits for the commit, by themselves."""
    renamed = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname and alias.name in tasks
    }
    tasks = tasks | renamed
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"on_commit", "HUEY"}:
            yield f"{node.lineno}: {node.attr}"
        elif isinstance(node, ast.ImportFrom):
            banned = {"on_commit", "on_commit_task", "HUEY", "enqueue", "task", "periodic_task"}
            if (node.module or "").startswith(("django.db", "huey.contrib")):
                yield from (f"{node.lineno}: {alias.name}" for alias in node.names if alias.name in banned)
        elif isinstance(node, ast.Call):
            called = node.func
            if name_of(called) in tasks:
                yield f"{node.lineno}: {name_of(called)}()"
            elif isinstance(called, ast.Attribute) and called.attr != "call_local" and name_of(called.value) in tasks:
                yield f"{node.lineno}: {name_of(called.value)}.{called.attr}()"


def parsed() -> dict[str, ast.Module]:
    return {str(path.relative_to(SOURCE)): ast.parse(path.read_text()) for path in SOURCE.rglob("*.py")}


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    return parsed()


@pytest.fixture(scope="module")
def tasks(trees: dict[str, ast.Module]) -> set[str]:
    found = {task for tree in trees.values() for task in tasks_in(tree)}
    assert found >= {"wake_sender", "delete_released", "sweep_files"}
    return found


def test_there_is_one_place(trees: dict[str, ast.Module], tasks: set[str]) -> None:
    found = {name: list(offences(tree, tasks)) for name, tree in trees.items()}

    assert {name for name, offended in found.items() if offended} == {THE_ONE}


@pytest.mark.parametrize("planted", PLANTED)
def test_whoever_goes_another_way_is_noticed(tasks: set[str], planted: str) -> None:
    assert list(offences(ast.parse(planted), tasks))


@pytest.mark.parametrize("allowed", ALLOWED)
def test_the_one_way_passes(tasks: set[str], allowed: str) -> None:
    assert list(offences(ast.parse(allowed), tasks)) == []


@pytest.mark.parametrize("number", BANNED_BY_THE_LINTER)
def test_the_linter_says_so_first(number: int) -> None:
    file = "src/modules/sessions/services/booking.py"
    run = subprocess.run(
        [Path(sys.executable).with_name("ruff"), "check", "--select", "TID251", "--stdin-filename", file, "-"],
        cwd=CHECKOUT,
        input=PLANTED[number],
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1
    assert "core.jobs.task_queue.enqueueing" in run.stdout
