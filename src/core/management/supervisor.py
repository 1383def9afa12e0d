"""A supervisor of child processes that are started and stopped together.

Each child is a session leader: Ctrl-C in the terminal reaches only the supervisor, and the process group of a child can
be killed with all its descendants.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

# Reads the process ids of children, one a line, from a pipe whose writing end only the supervisor has. The end of file
# means that the supervisor has died, be it by SIGKILL. After an orderly stop the supervisor kills the watchdog.
WATCHDOG = """
leaders= groups=
while read -r child; do leaders="$leaders $child" groups="$groups -$child"; done
kill -TERM $leaders
alive() { for group in $groups; do kill -0 -- "$group" && return 0; done; return 1; }
seconds=0
while alive && [ $seconds -lt "$GRACE_SECONDS" ]; do sleep 1; seconds=$((seconds + 1)); done
kill -KILL -- $groups
"""


def list_stop_signals() -> list[signal.Signals]:
    """The signals that stop the supervisor; SIGHUP among them, unless it is ignored (`nohup`)."""
    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    return signals


class Supervisor:
    """Runs children until one of them exits or a stop signal arrives, then stops them all.

    Can be used once, in the main thread, since it installs signal handlers.
    """

    def __init__(self, directory: Path, *, grace_seconds: int = 15) -> None:
        self.directory = directory
        self.grace_seconds = grace_seconds
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.stop_requested = False
        self.kill_requested = False

    def run(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        is_ready: Callable[[], bool],
        when_ready: Callable[[], None],
        start_seconds: float = 60,
        one_shots: Collection[str] = (),
    ) -> str | None:
        """Run the commands; return `None` after a stop signal, or a message that says which child failed and how.

        `when_ready` is called once `is_ready` is true and the `one_shots` have exited (with whatever exit code), for
        which there are `start_seconds`.
        """
        self._install_signal_handlers()
        self._start_watchdog()
        try:
            for name, command in commands.items():
                self._start(name, command)
            deadline = time.monotonic() + start_seconds
            ready = False
            while not self.stop_requested:
                ended = {name: child for name, child in self.children.items() if child.poll() is not None}
                for name, child in ended.items():
                    if name not in one_shots:
                        return (
                            f"The {name} process ended by itself ({_describe_exit(child.returncode)}); all was stopped."
                        )
                if not ready and len(ended) == len(one_shots) and is_ready():
                    ready = True
                    when_ready()
                if not ready and time.monotonic() > deadline:
                    return f"There was no answer within {start_seconds:.0f} seconds; all was stopped."
                self._sleep(None if ready else 0.1)
            return None
        finally:
            self._stop()

    def _start(self, name: str, command: Sequence[str]) -> None:
        child = subprocess.Popen(
            command,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            # Output is not buffered, also in a file.
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.children[name] = child
        os.write(self._watchdog_pipe, f"{child.pid}\n".encode())

    def _start_watchdog(self) -> None:
        reading_end, self._watchdog_pipe = os.pipe()
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", WATCHDOG],
            stdin=reading_end,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "GRACE_SECONDS": str(self.grace_seconds)},
        )
        os.close(reading_end)

    def _stop(self) -> None:
        """Send SIGTERM to each child, wait for up to `grace_seconds`, then send SIGKILL to its process group.

        A second Ctrl-C skips the wait. A second SIGTERM does not, since it may be the same one, sent twice.
        """
        for child in self.children.values():
            child.terminate()
        deadline = time.monotonic() + self.grace_seconds
        while any(child.poll() is None for child in self.children.values()):
            seconds_left = deadline - time.monotonic()
            if seconds_left < 0 or self.kill_requested:
                break
            self._sleep(seconds_left)
        for child in self.children.values():
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        self._watchdog.kill()
        self._watchdog.wait()

    # `signal.set_wakeup_fd`: Python writes a byte to the pipe for each signal, SIGCHLD included, which ends the sleep.

    def _install_signal_handlers(self) -> None:
        self._wakeup_pipe, writing_end = os.pipe()
        for end in (self._wakeup_pipe, writing_end):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writing_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        for number in list_stop_signals():
            signal.signal(number, self._on_stop_signal)

    def _on_stop_signal(self, number: int, _frame: FrameType | None) -> None:
        self.kill_requested = self.stop_requested and number == signal.SIGINT
        self.stop_requested = True

    def _sleep(self, seconds: float | None) -> None:
        if select.select([self._wakeup_pipe], [], [], seconds)[0]:
            os.read(self._wakeup_pipe, 4096)


def _describe_exit(returncode: int) -> str:
    if returncode < 0:
        return f"killed by {signal.Signals(-returncode).name}"
    return f"exit code {returncode}"
