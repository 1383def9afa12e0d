"""Only `core.jobs.task_queue.enqueueing` enqueues tasks and registers functions for the commit."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[4]
SOURCE = CHECKOUT / "src"
ENQUEUEING = "core/jobs/task_queue/enqueueing.py"

# Forbidden code; some of it is found by the linter, too.
FORBIDDEN = [
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


def get_name(node: ast.expr) -> str:
    """The last part of `a.b.c`, or of the function of a call."""
    if isinstance(node, ast.Call):
        return get_name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def find_tasks(tree: ast.Module) -> Iterator[str]:
    """Yield the names of functions that are tasks."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            decorators = {get_name(decorator) for decorator in node.decorator_list}
            if decorators & {"db_task", "task", "periodic_job", "on_commit_task", "db_periodic_task", "periodic_task"}:
                yield node.name


def find_violations(tree: ast.Module, tasks: set[str]) -> Iterator[str]:
    """Yield where code enqueues or registers for the commit by itself."""
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
            if get_name(called) in tasks:
                yield f"{node.lineno}: {get_name(called)}()"
            elif isinstance(called, ast.Attribute) and called.attr != "call_local" and get_name(called.value) in tasks:
                yield f"{node.lineno}: {get_name(called.value)}.{called.attr}()"


def parse_source() -> dict[str, ast.Module]:
    return {str(path.relative_to(SOURCE)): ast.parse(path.read_text()) for path in SOURCE.rglob("*.py")}


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    return parse_source()


@pytest.fixture(scope="module")
def tasks(trees: dict[str, ast.Module]) -> set[str]:
    found = {task for tree in trees.values() for task in find_tasks(tree)}
    assert found >= {"wake_sender", "delete_released", "sweep_files"}
    return found


def test_only_the_enqueueing_module_enqueues(trees: dict[str, ast.Module], tasks: set[str]) -> None:
    found = {name: list(find_violations(tree, tasks)) for name, tree in trees.items()}

    assert {name for name, violations in found.items() if violations} == {ENQUEUEING}


@pytest.mark.parametrize("code", FORBIDDEN)
def test_forbidden_code_is_found(tasks: set[str], code: str) -> None:
    assert list(find_violations(ast.parse(code), tasks))


@pytest.mark.parametrize("code", ALLOWED)
def test_allowed_code_passes(tasks: set[str], code: str) -> None:
    assert list(find_violations(ast.parse(code), tasks)) == []


@pytest.mark.parametrize("number", BANNED_BY_THE_LINTER)
def test_the_linter_finds_some_of_it(number: int) -> None:
    file = "src/modules/sessions/services/booking.py"
    run = subprocess.run(
        [Path(sys.executable).with_name("ruff"), "check", "--select", "TID251", "--stdin-filename", file, "-"],
        cwd=CHECKOUT,
        input=FORBIDDEN[number],
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1
    assert "core.jobs.task_queue.enqueueing" in run.stdout
