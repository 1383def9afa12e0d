"""Append-only JSON Lines files, each written by one process and read at the end."""

import json
from pathlib import Path
from typing import Any


class Journal:
    """One file. Each line is a single write, so that a killed process leaves no partial line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Any = None

    def append(self, **entry: Any) -> None:
        if self._file is None:
            self._file = self.path.open("ab", buffering=0)
        self._file.write(json.dumps(entry, default=str).encode() + b"\n")

    def entries(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_bytes().splitlines()]

    def __len__(self) -> int:
        return self.path.read_bytes().count(b"\n") if self.path.exists() else 0


def open_journals(folder: Path) -> "tuple[Journal, Journal, Journal]":
    """Return the journals of members' actions, of the mail server and of killed workers."""
    return Journal(folder / "actions.jsonl"), Journal(folder / "arrivals.jsonl"), Journal(folder / "kills.jsonl")
