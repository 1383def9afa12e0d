"""The planted faults: one table of a TOML file each, named by what goes wrong.

`what` says it in words, `file` is where `search` is replaced by `replace`, and `tests` are patterns of the test files
that reach it. `database = "postgresql"` is for faults that SQLite, which has one writer at a time, cannot show.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, kw_only=True)
class Fault:
    name: str
    what: str
    file: str
    search: str
    replace: str
    tests: tuple[str, ...]
    on_postgresql: bool


def load_faults() -> list[Fault]:
    """All faults, in the order of their files."""
    return [
        Fault(
            name=name,
            what=table["what"],
            file=table["file"],
            search=table["search"],
            replace=table["replace"],
            tests=tuple(table["tests"]),
            on_postgresql=table.get("database") == "postgresql",
        )
        for path in sorted(FOLDER.glob("*.toml"))
        for name, table in tomllib.loads(path.read_text()).items()
    ]


def list_problems(fault: Fault, root: Path) -> list[str]:
    """Why a fault cannot be planted: its text has to be there exactly once, and so have its tests."""
    path = root / fault.file
    if not path.is_file():
        return [f"there is no {fault.file}"]
    problems = [f"no test file is named {pattern}" for pattern in fault.tests if not list(root.glob(pattern))]
    count = path.read_text().count(fault.search)
    if count != 1:
        problems.append(f"{fault.file} has its text {count} times")
    if fault.search == fault.replace:
        problems.append("it changes nothing")
    return problems
