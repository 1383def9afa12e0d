"""Servers on loopback that replace Redis and fail on demand."""

import re
import socket
import socketserver
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

NOAUTH = b"-NOAUTH Authentication required.\r\n"
LOADING = b"-LOADING Redis is loading the dataset in memory\r\n"
READONLY = b"-READONLY You can't write against a read only replica.\r\n"
OOM = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"


class QueueServer:
    """Accepts connections and replies to each command with `answer`; never replies for `None`."""

    def __init__(self, answer: bytes | None = None) -> None:
        self.answer = answer
        self._released = threading.Event()
        # Client addresses, in the order of their connections.
        self._accepted: SimpleQueue[Any] = SimpleQueue()
        self._counted = 0
        queue = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with suppress(ConnectionError):
                    queue._reply(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def get_request(self) -> Any:
                request, address = super().get_request()
                queue._accepted.put(address)
                return request, address

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"redis://127.0.0.1:{self._server.server_address[1]}/0"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def connections(self) -> int:
        """The number of connections so far; counted once a last one has been accepted."""
        with socket.create_connection(self._server.server_address) as last:
            while self._accepted.get(timeout=30) != last.getsockname():
                self._counted += 1
        return self._counted

    def stop(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def _reply(self, connection: Any) -> None:
        while received := connection.recv(65536):
            if self.answer is None:
                self._released.wait(timeout=30)
                return
            # A reply for each command of a pipeline; a command begins with the number of its words.
            connection.sendall(self.answer * len(re.findall(rb"(?:^|\r\n)\*\d+\r\n", received)))


class FullBacklog:
    """Listens and never accepts, with a full backlog: connecting times out."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self._waiting = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.connect(self._listener.getsockname())
            self._waiting.append(client)

    def stop(self) -> None:
        for each in (*self._waiting, self._listener):
            each.close()


def find_closed_port() -> str:
    """Return the URL of a port that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
