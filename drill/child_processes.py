"""Forked processes: a child starts at once with everything imported, and can be killed with SIGKILL.

The parent has no threads and no open connections that a child could inherit.
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
    """The children of this process. They exit with it, even if it is killed."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.names: dict[int, str] = {}
        # Only the parent keeps the write end open, so that children read EOF once it has exited.
        self._read_end, self._write_end = os.pipe()

    def fork(self, name: str, do: "Callable[[], object]") -> int:
        child = os.fork()
        if child == 0:
            self._run_child(do)
        self.names[child] = name
        return child

    def _run_child(self, do: "Callable[[], object]") -> NoReturn:
        status = 1
        try:
            os.close(self._write_end)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            # Ctrl-C reaches the parent alone, which ends its children.
            os.setsid()
            with self.log.open("ab") as log:
                os.dup2(log.fileno(), sys.stderr.fileno())
                os.dup2(log.fileno(), sys.stdout.fileno())
            threading.Thread(target=self._exit_with_parent, daemon=True).start()
            do()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            # Without exit handlers, which belong to the parent.
            os._exit(status)

    def _exit_with_parent(self) -> None:
        os.read(self._read_end, 1)
        os._exit(1)

    def list_named(self, name: str) -> list[int]:
        return [child for child, its_name in self.names.items() if its_name == name]

    def kill(self, child: int) -> None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        del self.names[child]

    def reap(self) -> list[tuple[str, int]]:
        """Return the names and exit codes of children that ended by themselves since the last call."""
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
