"""Each module can be removed: the rest starts, serves requests and passes its tests.

Always on SQLite, since dependencies between modules are the same on every database.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.system

CHECKOUT = Path(__file__).resolve().parents[2]
MODULES = ("sessions", "notifications", "materials")

# What each serves, and where a member with nothing in it gets an answer of its own.
PATHS = {
    "sessions": ("/api/sessions/", "/api/sessions/my_sessions/", "/api/sessions/{session_id}/join/"),
    "notifications": ("/api/notifications/", "/api/notifications/unread_count/"),
    "materials": ("/api/sessions/{session_id}/materials/", "/api/files/{token}/"),
}
LISTS = {"sessions": "/api/sessions/", "notifications": "/api/notifications/"}
LISTS_IN_PORTAL = {
    "sessions": "/admin/learning_sessions/session/",
    "notifications": "/admin/notifications/notification/",
    "materials": "/admin/materials/material/",
}
TAGS = {"sessions": {"Sessions", "Booking", "Calendar"}, "notifications": {"Notifications"}, "materials": {"Materials"}}

# Started anew in a process of its own, as a deployer starts it.
VISIT = """
import json, re, sys
import django
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("check", verbosity=0)
call_command("migrate", verbosity=0)
call_command("makemigrations", check=True, dry_run=True, verbosity=0)
client = Client(headers={"host": "localhost"})
member = {"username": "jane", "email": "jane@example.com", "password": "learn-together"}
registered = client.post("/api/auth/register/", member, "application/json").status_code
access = client.post("/api/auth/token/", member, "application/json").json()["access"]
headers = {"host": "localhost", "authorization": f"Bearer {access}"}
seen = {path: client.get(path, headers=headers).status_code for path in json.loads(sys.argv[1])}
from core.accounts.models import User
client.force_login(User.objects.create_superuser("boss", "boss@example.com", "learn-together"))
links = sorted(set(re.findall(r'href="(/admin/[^"?]*)"', client.get("/admin/").content.decode())))
portal = {link: client.get(link).status_code for link in links}
document = client.get("/api/openapi.json").json()
tags = {tag for path in document["paths"].values() for operation in path.values() for tag in operation["tags"]}
found = {"registered": registered, "seen": seen, "paths": list(document["paths"]), "tags": sorted(tags)}
print(json.dumps({**found, "portal": portal}))
"""


def environment(data: Path, *modules: str) -> dict[str, str]:
    """That of a fresh checkout with these modules alone."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    return {
        **kept,
        "DATA_DIR": str(data),
        "DJANGO_SETTINGS_MODULE": "core.settings",
        "MODULES": ",".join(f"modules.{module}" for module in modules),
        "PYTHONPATH": str(CHECKOUT / "src"),
        "PYTHONWARNINGS": "error",
    }


def test_the_product_has_these_modules() -> None:
    assert {f"modules.{module}" for module in MODULES} == set(settings.MODULES)


@pytest.mark.parametrize("missing", MODULES)
def test_without_a_module_the_rest_starts_and_serves(tmp_path: Path, missing: str) -> None:
    others = [module for module in MODULES if module != missing]
    paths = ["/api/auth/me/", "/healthz", "/admin/login/", "/api/docs", *LISTS.values()]

    run = subprocess.run(
        [sys.executable, "-c", VISIT, json.dumps(paths)],
        env=environment(tmp_path, *others),
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["registered"] == 201
    absent = {LISTS.get(missing)}
    assert found["seen"] == {path: 404 if path in absent else 200 for path in paths}
    for module in MODULES:
        for path in PATHS[module]:
            assert (path in found["paths"]) == (module != missing)
        assert (LISTS_IN_PORTAL[module] in found["portal"]) == (module != missing)
    assert set(found["portal"].values()) == {200}
    assert set(found["tags"]) == {"Accounts"}.union(*(TAGS[module] for module in others))


@pytest.mark.parametrize(
    ("installed", "tested"),
    [
        # The sessions take the longest by far: they show that they need neither of the others in one go.
        (("sessions",), ("sessions",)),
        (("notifications", "materials"), ("notifications", "materials")),
        (("sessions", "materials"), ("materials",)),
        (("sessions", "notifications"), ("notifications",)),
    ],
)
def test_without_a_module_the_rest_passes_its_own_tests(
    tmp_path: Path, installed: tuple[str, ...], tested: tuple[str, ...]
) -> None:
    # What is in files and where they lie is the same whoever is there, and takes the longest.
    about_bytes = (
        "hostile_files",
        "killed_at_each_step",
        "kinds_of_files",
        "moving",
        "pictures",
        "places",
        "verifying",
    )
    passed_over = [f"--ignore=tests/modules/materials/test_{name}.py" for name in about_bytes]
    pytest_alone = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"]
    run = subprocess.run(
        [
            *pytest_alone,
            f"--basetemp={tmp_path / 'pytest'}",
            *passed_over,
            *(f"tests/modules/{module}" for module in tested),
        ],
        cwd=CHECKOUT,
        env=environment(tmp_path, *installed),
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout
