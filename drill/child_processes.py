"""Processes by fork: a child begins at once with everything imported, and dies a real death.

The parent has no thread and no connection open, so that there is nothing for a child to inherit and spoil.
"""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn


class ChildProcesses:
    """The children of this process. They end with it, however it ends."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.names: dict[int, str] = {}
        # Only the parent holds the writing end: it ends when the parent does.
        self._lifeline, self._held = os.pipe()

    def fork(self, name: str, do: "Callable[[], object]") -> int:
        child = os.fork()
        if child == 0:
            self._live(do)
        self.names[child] = name
        return child

    def _live(self, do: "Callable[[], object]") -> NoReturn:
        status = 1
        try:
            os.close(self._held)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            # A Ctrl-C is for the parent, which ends the others.
            os.setsid()
            with self.log.open("ab") as log:
                os.dup2(log.fileno(), sys.stderr.fileno())
                os.dup2(log.fileno(), sys.stdout.fileno())
            threading.Thread(target=self._end_with_parent, daemon=True).start()
            do()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            # Past everything that Python would tidy up: that is the parent's.
            os._exit(status)

    def _end_with_parent(self) -> None:
        os.read(self._lifeline, 1)
        os._exit(1)

    def named(self, name: str) -> list[int]:
        return [child for child, its_name in self.names.items() if its_name == name]

    def kill(self, child: int) -> None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        del self.names[child]

    def reap(self) -> list[tuple[str, int]]:
        """Who has ended by themselves since the last time, and with which status."""
        ended = []
        for child in list(self.names):
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                ended.append((self.names.pop(child), os.waitstatus_to_exitcode(status)))
        return ended

    def end(self) -> None:
        for child in list(self.names):
            with suppress(ProcessLookupError, ChildProcessError):
                self.kill(child)
