"""Journals: a line of JSON for each thing that happened, appended by one process and read when all is over."""

import json
from pathlib import Path
from typing import Any


class Journal:
    """One file. A line is written in one go, so that a process that dies leaves whole lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Any = None

    def note(self, **entry: Any) -> None:
        if self._file is None:
            self._file = self.path.open("ab", buffering=0)
        self._file.write(json.dumps(entry, default=str).encode() + b"\n")

    def entries(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_bytes().splitlines()]

    def __len__(self) -> int:
        return self.path.read_bytes().count(b"\n") if self.path.exists() else 0


def journals(folder: Path) -> "tuple[Journal, Journal, Journal]":
    """What the members did, what the mail server took, whom the drill killed."""
    return Journal(folder / "deeds.jsonl"), Journal(folder / "arrivals.jsonl"), Journal(folder / "kills.jsonl")
