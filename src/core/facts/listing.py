"""Lists the publishers and receivers of each fact, and the askers and answerers of each question, with lines of code.

Publishers and askers are found by parsing the source; receivers and answers are registered at runtime.
"""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings

from core.facts.base import Fact, Question
from core.facts.registry import RECEIVERS, list_receivers

SOURCE = Path(settings.CHECKOUT) / "src"
TYPE_CHECKS = {"isinstance", "issubclass"}


@dataclass(frozen=True, kw_only=True)
class EventEntry:
    """One fact or question: its name, its declaration, and its senders and receivers, as `path:line`."""

    name: str
    location: str
    senders: list[str] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call in the source: its line, the name that is called, and the names and strings that are its arguments."""

    line: int
    function: str
    names: frozenset[str]
    strings: frozenset[str]


def list_facts() -> list[EventEntry]:
    """List each fact with its publishers and receivers."""
    # Any, since mypy takes the class of a dataclass for unhashable, which a cached function would refuse.
    kinds: list[Any] = [kind for kind in Fact.kinds.values() if _is_in_source(kind)]
    calls = _find_calls({kind.__name__ for kind in kinds})
    return [
        EventEntry(
            name=kind.name,
            location=_locate(kind),
            senders=calls.get(kind.__name__, []),
            receivers=[_locate_receiver(name) for name in list_receivers(kind.name) if name in RECEIVERS],
        )
        for kind in sorted(kinds, key=lambda kind: kind.name)
    ]


def list_questions() -> list[EventEntry]:
    """List each question with its askers and the functions that answer it."""
    kinds = sorted(filter(_is_in_source, _list_subclasses(Question)), key=lambda kind: (kind.__module__, kind.__name__))
    calls = _find_calls({kind.__name__ for kind in kinds})
    return [
        EventEntry(
            name=f"{kind.__module__.split('.')[-2]}.{kind.__name__}",
            location=_locate(kind),
            senders=calls.get(kind.__name__, []),
            receivers=[_locate_function(uid) for (uid, _), *_ in kind.signal.receivers],
        )
        for kind in kinds
    ]


def find_gaps() -> list[str]:
    """Return a message for each fact that is not published, and each question that is not asked or not answered."""
    gaps = [f"Nobody publishes {fact.name} ({fact.location})." for fact in list_facts() if not fact.senders]
    for question in list_questions():
        if not question.senders:
            gaps.append(f"Nobody asks {question.name} ({question.location}).")
        if not question.receivers:
            gaps.append(f"Nobody answers {question.name} ({question.location}).")
    return gaps


def _list_subclasses(kind: Any) -> Iterator[Any]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _list_subclasses(subclass)


def _is_in_source(kind: type) -> bool:
    return Path(inspect.getsourcefile(kind) or "").resolve().is_relative_to(SOURCE)


@cache
def _locate(kind: Any) -> str:
    return f"{_format_path(Path(inspect.getsourcefile(kind) or ''))}:{inspect.getsourcelines(kind)[1]}"


def _locate_receiver(name: str) -> str:
    """Locate the function of a receiver, or the call that registers it under a name, such as a row of a table.

    Raises `LookupError` unless there is exactly one such call in the package of the receiver.
    """
    if inspect.isfunction(RECEIVERS[name]):
        return _locate_function(name)
    module, _, short_name = name.rpartition(".")
    package = SOURCE / module.replace(".", "/")
    locations = [
        f"{_format_path(path)}:{call.line}"
        for path in package.glob("*.py")
        for call in _parse_calls(path)
        if short_name in call.strings
    ]
    if len(locations) != 1:
        raise LookupError(f"{name} is named by {len(locations)} calls: {locations}")
    return locations[0]


def _locate_function(name: str) -> str:
    module, _, function = name.rpartition(".")
    return _locate(getattr(import_module(module), function))


def _format_path(path: Path) -> str:
    return path.resolve().relative_to(SOURCE.parent).as_posix()


def _find_calls(names: set[str]) -> dict[str, list[str]]:
    """Find the calls that create objects of these classes, as `path:line`, by the name of the class.

    A class may be passed to the function that creates its object. In receivers it is passed to subscribe to it.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        if path.name == "events.py" or "migrations" in path.parts:
            continue
        is_receiver = "receivers" in path.relative_to(SOURCE).with_suffix("").parts
        for call in _parse_calls(path):
            passed: frozenset[str] = frozenset() if is_receiver or call.function in TYPE_CHECKS else call.names
            for name in names & {call.function, *passed}:
                found.setdefault(name, []).append(f"{_format_path(path)}:{call.line}")
    return found


@cache
def _parse_calls(path: Path) -> tuple[Call, ...]:
    """Parse a file once for each process: its source does not change."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return tuple(_read_call(node) for node in nodes)


def _read_call(node: ast.Call) -> Call:
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    constants = [argument.value for argument in arguments if isinstance(argument, ast.Constant)]
    return Call(
        line=node.lineno,
        function=_get_name(node.func),
        names=frozenset(map(_get_name, arguments)),
        strings=frozenset(value for value in constants if isinstance(value, str)),
    )


def _get_name(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""
