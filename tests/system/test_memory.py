"""How much memory the web server takes while many upload at once: what they send lies on the disk, not in it."""

import http.client
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.system.product import Product, serving

MEBIBYTE = 1024 * 1024
MOST_ABOVE_IDLE = 150 * MEBIBYTE
UPLOADS = 10
LINE = b"%07d of a text that is as long as a file may be at most, to the last byte\n"
BOUNDARY = "-----------------------------boundary"

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the memory of processes in /proc"),
]


class Memory:
    """What all processes of the product hold, in bytes, at most, from now on."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.idle = self.most = self.now()
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def now(self) -> int:
        kibibytes = 0
        for process in self.product.processes():
            for line in Path(f"/proc/{process}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    kibibytes += int(line.split()[1])
        return kibibytes * 1024

    def watch(self) -> None:
        while not self.is_over.wait(0.02):
            self.most = max(self.most, self.now())

    def above_idle(self) -> int:
        self.is_over.set()
        self.thread.join()
        return self.most - self.idle


def call(product: Product, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=120)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", path, body, {"Content-Type": "application/json", **named})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, content


def test_concurrent_large_uploads_are_not_held_in_memory(product: Product) -> None:
    product.manage("migrate", "--verbosity", "0")
    with serving(product):
        person = {"username": "john_doe", "email": "john@example.com", "password": "learn-together"}
        status, answer = call(product, "/api/auth/register/", json.dumps(person).encode())
        assert status == 201, answer
        above_idle = memory_of_uploads(product)
    assert above_idle < MOST_ABOVE_IDLE
    stored = [file.stat().st_size for file in Path(product.environment["DATA_DIR"], "materials").rglob("*.txt")]
    assert stored == [25 * MEBIBYTE] * (UPLOADS + 1)
    # The folders of a few runs are kept, and half a gigabyte is too much to be.
    shutil.rmtree(product.environment["DATA_DIR"])


def memory_of_uploads(product: Product) -> int:
    """The most above what is held before, in bytes."""
    status, answer = call(product, "/api/auth/token/", b'{"username": "john_doe", "password": "learn-together"}')
    assert status == 200, answer
    bearer = f"Bearer {json.loads(answer)['access']}"
    offered = {
        "title": "Large files",
        "description": "As large as may be.",
        "subject": "Files",
        "level": "beginner",
        "date": "2035-05-04T18:00:00Z",
        "duration": 60,
        "max_participants": 4,
    }
    status, answer = call(product, "/api/sessions/", json.dumps(offered).encode(), Authorization=bearer)
    assert status == 201, answer
    path = f"/api/sessions/{json.loads(answer)['id']}/materials/"

    def upload(number: int) -> None:
        form_type = f"multipart/form-data; boundary={BOUNDARY}"
        status, answer = call(product, path, form(number), Authorization=bearer, Content_Type=form_type)
        assert status == 201, answer

    # What is loaded for the first of them stays: it belongs to the idle server.
    upload(0)
    memory = Memory(product)
    with ThreadPoolExecutor(UPLOADS) as threads:
        list(threads.map(upload, range(1, UPLOADS + 1)))
    return memory.above_idle()


def form(number: int) -> bytes:
    part = "--{}\r\nContent-Disposition: form-data; name={}\r\n\r\n{}\r\n"
    fields = "".join(part.format(BOUNDARY, name, value) for name, value in (("title", "Large"), ("type", "file")))
    file = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=file; filename=large.txt\r\n\r\n"
    line = LINE % number
    content = (line * (25 * MEBIBYTE // len(line) + 1))[: 25 * MEBIBYTE]
    return fields.encode() + file.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
