"""A handful of processes that live and end together.

Each child leads a session of its own: a Ctrl-C in the terminal reaches the supervisor alone, which ends the children in
order, and a whole group can be killed when its leader will not go or has left somebody behind.
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

# Reads the children's ids, one a line, from a pipe that only the supervisor holds open: the end of it is the end of the
# supervisor, by whatever means. One that has stopped its children itself kills the watchdog first.
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
    """What asks for the end. A lost terminal does, unless `nohup` said otherwise."""
    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    return signals


class Supervisor:
    """Runs children until one of them ends or a signal asks for the end, then stops them all.

    Only for the main thread, and once: it takes over the handling of signals.
    """

    def __init__(self, directory: Path, *, grace_seconds: int = 15) -> None:
        self.directory = directory
        self.grace_seconds = grace_seconds
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.asked_to_stop = False
        self.asked_to_hurry = False

    def run(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        is_ready: Callable[[], bool],
        when_ready: Callable[[], None],
        start_seconds: float = 60,
        one_shots: Collection[str] = (),
    ) -> str | None:
        """Return None after a requested stop, or a sentence that says which child failed and how.

        `when_ready` is called as soon as `is_ready` holds and the `one_shots` have ended, for which the children have
        `start_seconds`. One-shots are the commands that end by themselves, whether they succeed or not.
        """
        self._listen_to_signals()
        self._start_watchdog()
        try:
            for name, command in commands.items():
                self._start(name, command)
            deadline = time.monotonic() + start_seconds
            ready = False
            while not self.asked_to_stop:
                ended = {name: child for name, child in self.children.items() if child.poll() is not None}
                for name, child in ended.items():
                    if name not in one_shots:
                        return f"The {name} process ended by itself ({_how(child.returncode)}); all was stopped."
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
            # What they print is seen at once, also in a file.
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.children[name] = child
        os.write(self._lifeline, f"{child.pid}\n".encode())

    def _start_watchdog(self) -> None:
        watched, self._lifeline = os.pipe()
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", WATCHDOG],
            stdin=watched,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "GRACE_SECONDS": str(self.grace_seconds)},
        )
        os.close(watched)

    def _stop(self) -> None:
        """SIGTERM for each leader and time to finish what it has in hand, then SIGKILL for what is left of its group.

        A second Ctrl-C ends the patience; a second SIGTERM may be the same request on another way.
        """
        for child in self.children.values():
            child.terminate()
        deadline = time.monotonic() + self.grace_seconds
        while any(child.poll() is None for child in self.children.values()):
            left = deadline - time.monotonic()
            if left < 0 or self.asked_to_hurry:
                break
            self._sleep(left)
        for child in self.children.values():
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        self._watchdog.kill()
        self._watchdog.wait()

    # Python writes a byte to the pipe for each signal, the death of a child included, and so ends the sleep.

    def _listen_to_signals(self) -> None:
        self._pipe, pipe_end = os.pipe()
        for end in (self._pipe, pipe_end):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(pipe_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        for number in list_stop_signals():
            signal.signal(number, self._on_stop_signal)

    def _on_stop_signal(self, number: int, _frame: FrameType | None) -> None:
        self.asked_to_hurry = self.asked_to_stop and number == signal.SIGINT
        self.asked_to_stop = True

    def _sleep(self, seconds: float | None) -> None:
        if select.select([self._pipe], [], [], seconds)[0]:
            os.read(self._pipe, 4096)


def _how(returncode: int) -> str:
    if returncode < 0:
        return f"killed by {signal.Signals(-returncode).name}"
    return f"exit code {returncode}"
