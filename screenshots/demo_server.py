"""The product for a picture: the demo, in a folder that goes away, at a moment that is always the same."""

import logging
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import django

# So that a picture changes when what it shows does, and not with each day.
MOMENT = datetime(2026, 5, 12, 9, 40, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class DemoServer:
    url: str
    # What the paths of pictures name.
    session: int
    member: int


@contextmanager
def run_demo_server(*, session_title: str) -> Iterator[DemoServer]:
    """Serves the demo by a thread of this process. Once per process, since it configures Django."""
    with tempfile.TemporaryDirectory(prefix="screenshots-") as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "core.settings",
            "DATA_DIR": folder,
            "EMAIL_URL": f"file://{quote(str(Path(folder) / 'mails'))}",
        }
        django.setup()
        # Who looks for pictures is not told of each request.
        logging.disable(logging.WARNING)
        _prepare()
        with _server() as url:
            session, member = _shown(session_title)
            yield DemoServer(url=url, session=session, member=member)


def _prepare() -> None:
    from django.core.management import call_command
    from huey.contrib.djhuey import HUEY

    from core.time import clock

    clock.set_source(lambda: MOMENT)
    call_command("migrate", verbosity=0)
    call_command("load_demo_data", verbosity=0)
    # The worker's minute, without which the portal says that it does not run.
    for task in HUEY.read_periodic(None):
        HUEY.execute(task)


def _shown(title: str) -> tuple[int, int]:
    from modules.sessions.models import Session

    session = Session.objects.get(title=title, status="pending_approval")
    return session.pk, session.creator_id


@contextmanager
def _server() -> Iterator[str]:
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler, get_internal_wsgi_application

    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(get_internal_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
