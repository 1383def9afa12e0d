"""Copies of the repository in which faults are planted and tests run."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.util import cache_from_source
from pathlib import Path
from urllib.parse import urlsplit

from faults.catalogue import Fault

IGNORED = shutil.ignore_patterns(".git", ".venv", "__pycache__", "data", ".mypy_cache", ".ruff_cache", ".pytest_cache")
# A fault may keep tests waiting for each other; that is found, too.
MAX_SECONDS = 300
POSTGRESQL_URL = "postgres://postgres@127.0.0.1:5432/postgres"


class Result(Enum):
    FOUND = "found"
    MISSED = "NOT FOUND"
    # No test has run.
    BROKEN = "BROKEN"


@dataclass(frozen=True, kw_only=True)
class Copy:
    """`number` keeps its databases apart from those of the other copies."""

    root: Path
    number: int

    def try_fault(self, fault: Fault) -> tuple[Result, float, str]:
        """Plant the fault, run its tests until one fails, and take it back: the result, seconds, what pytest said."""
        path = self.root / fault.file
        original = path.read_text()
        began = time.monotonic()
        try:
            self._write(path, original.replace(fault.search, fault.replace))
            result, output = self.run_tests(fault.tests, on_postgresql=fault.on_postgresql)
        finally:
            self._write(path, original)
        return result, time.monotonic() - began, output

    def run_tests(self, patterns: Sequence[str], *, on_postgresql: bool) -> tuple[Result, str]:
        files = sorted({str(path.relative_to(self.root)) for pattern in patterns for path in self.root.glob(pattern)})
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *files]
        try:
            run = subprocess.run(
                command,
                cwd=self.root,
                env=self._build_environment(on_postgresql=on_postgresql),
                capture_output=True,
                text=True,
                timeout=MAX_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Result.FOUND, f"No end after {MAX_SECONDS} s."
        # 1: a test has failed. Anything else but success means that none has run.
        results = {0: Result.MISSED, 1: Result.FOUND}
        return results.get(run.returncode, Result.BROKEN), run.stdout[-3000:] + run.stderr[-3000:]

    def _build_environment(self, *, on_postgresql: bool) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "PYTHONPATH"}}
        environment["DATA_DIR"] = str(self.root / "data")
        if on_postgresql:
            parts = urlsplit(os.environ.get("TEST_DATABASE_URL") or POSTGRESQL_URL)
            environment["DATABASE_URL"] = parts._replace(path=f"/faults_{os.getpid()}_{self.number}").geturl()
        return environment

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text)
        # Python compares times in full seconds, and lengths: the compiled fault would pass for the restored file.
        Path(cache_from_source(str(path))).unlink(missing_ok=True)


def make_copy(repository: Path, root: Path, number: int) -> Copy:
    shutil.copytree(repository, root, ignore=IGNORED, symlinks=True)
    (root / "data").mkdir()
    return Copy(root=root, number=number)
