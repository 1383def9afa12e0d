"""A virus scanner that speaks the INSTREAM protocol of clamd, over TCP on loopback or a Unix socket."""

import socketserver
import struct
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

# The harmless test file that every scanner finds; split, so that scanners do not find this source file.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class ClamdServer:
    """`scanned` has the contents that it scanned."""

    def __init__(self, socket_path: Path | None = None) -> None:
        self.scanned: list[bytes] = []
        # Names of viruses, by their contents.
        self.viruses: dict[bytes, str] = {EICAR: "Eicar-Test-Signature"}
        # StreamMaxLength of clamd.
        self.max_bytes = 100 * 1024 * 1024
        # How it fails: "hang up", "hang" or "nonsense".
        self.fault = ""
        # Contents with which a scan never ends.
        self.hangs_on = b""
        self.socket_path = socket_path
        self.port = 0
        self.released = threading.Event()
        self._server: Any = None

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket_path))}" if self.socket_path else f"tcp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen on the same port as the last time."""
        scanner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                scanner.answer(self.rfile, self.wfile)

        class Tcp(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        class Unix(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True

        self.released.clear()
        if self.socket_path:
            self._server = Unix(str(self.socket_path), Handler)
        else:
            self._server = Tcp(("127.0.0.1", self.port), Handler)
            self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        self.released.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            if self.socket_path:
                self.socket_path.unlink(missing_ok=True)

    def answer(self, received: Any, answers: Any) -> None:
        if self.fault == "hang up":
            return
        if received.read(len(b"zINSTREAM\0")) != b"zINSTREAM\0":
            answers.write(b"UNKNOWN COMMAND\0")
            return
        content = b""
        while length := struct.unpack("!L", received.read(4))[0]:
            content += received.read(length)
            if len(content) > self.max_bytes:
                answers.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
        if self.fault == "hang" or (self.hangs_on and self.hangs_on in content):
            self.released.wait(timeout=30)
            return
        if self.fault == "nonsense":
            answers.write(b"stream: Can't allocate memory ERROR\0")
            return
        self.scanned.append(content)
        found = [name for virus, name in self.viruses.items() if virus in content]
        answers.write(f"stream: {found[0]} FOUND\0".encode() if found else b"stream: OK\0")
