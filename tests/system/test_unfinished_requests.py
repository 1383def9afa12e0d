"""The web server with clients that never complete their requests: it serves others, and stores nothing."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from tests.system.conftest import new_database, new_product
from tests.system.product import Product, serving

MEBIBYTE = 1024 * 1024
CONNECTIONS = 500
UPLOADS = 10
MEMBER = {"username": "john_doe", "password": "learn-together"}
HOST = "Host: localhost\r\n"
JSON = "Content-Type: application/json\r\n"

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes in /proc"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A server with one member that waits for bodies for longer than these tests take."""
    folder = tmp_path_factory.mktemp("server")
    with ExitStack() as stack:
        url = stack.enter_context(new_database(f"peer_learning_unfinished_{os.getpid()}"))
        product = stack.enter_context(new_product(folder, url))
        (folder / "temporary").mkdir()
        product.environment["TMPDIR"] = str(folder / "temporary")
        product.manage("migrate", "--verbosity", "0")
        stack.enter_context(serving(product, REQUEST_BODY_SECONDS="600"))
        status, answer = post(product, "register/", {**MEMBER, "email": "john@example.com"})
        assert status == 201, answer
        yield product


def connect(product: Product, head: str, body: bytes = b"") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", product.port), timeout=60)
    client.sendall(head.encode() + b"\r\n" + body)
    return client


def read_answer(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read up to the end of the connection, or to the length of the body."""
    content = b""
    while piece := client.recv(65536):
        content += piece
        head, separator, body = content.partition(b"\r\n\r\n")
        if separator and len(body) >= int(_headers(head).get("content-length", 10**9)):
            break
    head, _, body = content.partition(b"\r\n\r\n")
    return int(head.split()[1]), _headers(head), body


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def ask(product: Product, head: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    with connect(product, head, body) as client:
        return read_answer(client)


def post(product: Product, path: str, values: dict[str, str]) -> tuple[int, dict[str, str]]:
    body = json.dumps(values).encode()
    head = f"POST /api/auth/{path} HTTP/1.1\r\n{HOST}{JSON}Content-Length: {len(body)}\r\n"
    status, _, answer = ask(product, head, body)
    return status, json.loads(answer)


def log_in(product: Product) -> str:
    status, answer = post(product, "token/", MEMBER)
    assert status == 200, answer
    return answer["access"]


def has_answered(client: socket.socket) -> bool:
    client.setblocking(False)
    with suppress(BlockingIOError):
        client.recv(1)
        return True
    return False


@pytest.fixture
def incomplete_requests(server: Product) -> Iterator[list[socket.socket]]:
    """Hundreds of connections with incomplete forms of the portal, JSON, forms of the API, and uploads."""
    token = log_in(server)
    bearer = f"Authorization: Bearer {token}\r\n"
    offered = {"title": "Knots", "description": "Five.", "subject": "Crafts", "level": "beginner", "duration": 60}
    body = json.dumps({**offered, "date": "2035-05-04T18:00:00Z", "max_participants": 4}).encode()
    status, _, answer = ask(
        server, f"POST /api/sessions/ HTTP/1.1\r\n{HOST}{bearer}{JSON}Content-Length: {len(body)}\r\n", body
    )
    assert status == 201, answer
    path = f"/api/sessions/{json.loads(answer)['id']}/materials/"
    length = "Content-Length: 1000\r\n"
    form = "Content-Type: multipart/form-data; boundary=x\r\n"
    kinds = [
        f"POST /admin/login/ HTTP/1.1\r\n{HOST}Cookie: sessionid=0123456789abcdef\r\n{length}",
        f"POST /api/auth/token/ HTTP/1.1\r\n{HOST}{JSON}{length}",
        f"POST /api/sessions/ HTTP/1.1\r\n{HOST}{bearer}{form}{length}",
    ]
    upload = f"POST {path} HTTP/1.1\r\n{HOST}{bearer}{form}{length}"
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                connect(server, upload if number < UPLOADS else kinds[number % len(kinds)], b"username=")
            )
            for number in range(CONNECTIONS)
        ]


def test_hundreds_of_incomplete_requests_do_not_block_others(
    server: Product, incomplete_requests: list[socket.socket]
) -> None:
    token = log_in(server)
    status, _, answer = ask(server, f"GET /api/sessions/ HTTP/1.1\r\n{HOST}Authorization: Bearer {token}\r\n")

    assert (status, json.loads(answer)["count"]) == (200, 1)
    assert server.get("/healthz") == 200
    assert server.get("/admin/login/") == 200
    assert not any(has_answered(client) for client in incomplete_requests)


@pytest.mark.parametrize("length", [f"Content-Length: {48 * MEBIBYTE}\r\n", "Transfer-Encoding: chunked\r\n"])
def test_endless_bodies_are_refused_without_being_written_to_the_disk(server: Product, length: str) -> None:
    body = b"%x\r\n" % (48 * MEBIBYTE) + b" " * (MEBIBYTE + 1)
    head = f"POST /api/auth/token/ HTTP/1.1\r\n{HOST}{JSON}{length}"

    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server, head, body)) for _ in range(12)]
        answers = [read_answer(client) for client in clients]
        temporary = list(Path(server.environment["TMPDIR"]).rglob("*"))

    assert {status for status, _, _ in answers} == {413}
    assert {headers["connection"] for _, headers, _ in answers} == {"close"}
    assert temporary == []


def test_a_client_gets_the_response_when_its_upload_is_refused_early(server: Product) -> None:
    """A client has to learn that its access token has expired."""
    head = (
        f"POST /api/sessions/1/materials/ HTTP/1.1\r\n{HOST}Content-Type: multipart/form-data; boundary=x\r\n"
        f"Authorization: Bearer expired\r\nContent-Length: {20 * MEBIBYTE}\r\n"
    )

    status, headers, answer = ask(server, head, b"x" * 20 * MEBIBYTE)

    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert json.loads(answer) == {"error": "Your login is not valid or has ended. Log in again."}


@pytest.mark.parametrize("path", ["/api/nothing/", "/ws/"])
def test_a_websocket_handshake_is_a_404(server: Product, path: str) -> None:
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n"

    status, headers, answer = ask(server, f"GET {path} HTTP/1.1\r\n{HOST}{upgrade}")

    assert status == 404
    assert headers["x-request-id"]
    if path.startswith("/api/"):
        assert json.loads(answer) == {"error": "There is nothing at this path."}
    assert "Traceback" not in server.printed


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (f"GET /api/{'x' * 66_000} HTTP/1.1\r\n{HOST}", 414),
        (f"GET /api/ HTTP/1.1\r\n{HOST}X: {'x' * 2_000_000}\r\n", 431),
        (f"GET /api/ HTTP/1.1\r\n{HOST}" + 200 * "X: x\r\n", 431),
    ],
    ids=["target", "header", "headers"],
)
def test_the_server_refuses_long_targets_and_headers(server: Product, head: str, status: int) -> None:
    """Before the application, with the right status and without a body."""
    answered, headers, answer = ask(server, head)

    assert (answered, headers["content-length"], answer) == (status, "0", b"")


def test_a_long_target_that_the_server_accepts_gets_a_json_response(server: Product) -> None:
    status, _, answer = ask(server, f"GET /api/{'x' * 60_000}/ HTTP/1.1\r\n{HOST}")

    assert (status, json.loads(answer)) == (404, {"error": "There is nothing at this path."})
