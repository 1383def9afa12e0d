"""Who publishes and receives each fact, and who asks and answers each question, with the lines of the code.

Publishers and askers are found in the source, since nothing registers them; receivers and answers are registered.
"""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings

from core.facts.base import Fact, Question
from core.facts.registry import RECEIVERS, list_receivers

SOURCE = Path(settings.CHECKOUT) / "src"
# Calls that are handed a class and do not make an object of it.
NO_SENDERS = {"isinstance", "issubclass", "subscribes", "subscribe", "answers", "Rule"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One fact or question: its name, where it is declared, and who is on both sides, as `path:line`."""

    name: str
    place: str
    senders: list[str] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)


def list_facts() -> list[Entry]:
    """Each fact with those who publish it, and the names of its receivers."""
    kinds = [kind for kind in Fact.kinds.values() if _is_in_source(kind)]
    calls = _find_calls({kind.__name__ for kind in kinds})
    return [
        Entry(
            name=kind.name,
            place=_place_of(kind),
            senders=calls.get(kind.__name__, []),
            receivers=[_place_of_receiver(name) for name in list_receivers(kind.name) if name in RECEIVERS],
        )
        for kind in sorted(kinds, key=lambda kind: kind.name)
    ]


def list_questions() -> list[Entry]:
    """Each question with those who ask it, and the functions that answer."""
    kinds = sorted(filter(_is_in_source, _subclasses(Question)), key=lambda kind: (kind.__module__, kind.__name__))
    calls = _find_calls({kind.__name__ for kind in kinds})
    return [
        Entry(
            name=f"{kind.__module__.split('.')[-2]}.{kind.__name__}",
            place=_place_of(kind),
            senders=calls.get(kind.__name__, []),
            receivers=[_place_of_function(uid) for (uid, _), *_ in kind.signal.receivers],
        )
        for kind in kinds
    ]


def find_gaps() -> list[str]:
    """A sentence for each fact that nobody publishes, and each question that nobody asks or answers."""
    gaps = [f"Nobody publishes {fact.name} ({fact.place})." for fact in list_facts() if not fact.senders]
    for question in list_questions():
        if not question.senders:
            gaps.append(f"Nobody asks {question.name} ({question.place}).")
        if not question.receivers:
            gaps.append(f"Nobody answers {question.name} ({question.place}).")
    return gaps


def _subclasses(kind: Any) -> Iterator[Any]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _is_in_source(kind: type) -> bool:
    return Path(inspect.getsourcefile(kind) or "").resolve().is_relative_to(SOURCE)


def _place_of(kind: Any) -> str:
    return f"{_relative(Path(inspect.getsourcefile(kind) or ''))}:{inspect.getsourcelines(kind)[1]}"


def _place_of_receiver(name: str) -> str:
    """The function, or the row of a table from which a receiver was made, which names it."""
    if inspect.isfunction(RECEIVERS[name]):
        return _place_of_function(name)
    module, _, short_name = name.rpartition(".")
    package = SOURCE / module.replace(".", "/")
    for path in sorted(package.glob("*.py")):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if f'"{short_name}"' in line:
                return f"{_relative(path)}:{number}"
    raise LookupError(name)


def _place_of_function(name: str) -> str:
    module, _, function = name.rpartition(".")
    return _place_of(getattr(import_module(module), function))


def _relative(path: Path) -> str:
    return path.resolve().relative_to(SOURCE.parent).as_posix()


def _find_calls(names: set[str]) -> dict[str, list[str]]:
    """Where the source calls one of these classes, as `path:line`, by the name of the class."""
    found: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        if path.name == "events.py" or "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                for name in names & _names_in_call(node):
                    found.setdefault(name, []).append(f"{_relative(path)}:{node.lineno}")
    return found


def _names_in_call(call: ast.Call) -> set[str]:
    """The name of what is called, and of the classes that are handed to it to be made there."""
    called = _name_of(call.func)
    if called in NO_SENDERS:
        return set()
    return {called, *map(_name_of, call.args), *(_name_of(keyword.value) for keyword in call.keywords)}


def _name_of(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""
