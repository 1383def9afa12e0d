"""The import contracts of pyproject.toml hold, and each of them detects a violation."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

CHECKOUT = Path(__file__).resolve().parents[2]
CONTRACTS = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}

# What nobody may write, by the contract that forbids it: a file of src, and a line at its end.
PLANTED = [
    ("core-knows-no-module", "core/http/pages.py", "from modules.sessions import events"),
    ("core-knows-no-module", "core/tasks.py", "def later(): from modules.materials import services"),
    ("modules-are-independent", "modules/notifications/services/notifying.py", "from modules.sessions import models"),
    ("modules-are-independent", "modules/notifications/services/notifying.py", "from modules.sessions import events"),
    ("modules-are-independent", "modules/sessions/receivers/people.py", "from modules.notifications import models"),
    ("modules-are-independent", "modules/materials/api.py", "from modules.sessions import policy"),
    ("events-are-plain", "modules/sessions/events.py", "from core.facts import models"),
    ("events-are-plain", "modules/sessions/events.py", "from core.models import Mail"),
    ("layers", "modules/sessions/models.py", "from modules.sessions import services"),
    ("layers", "modules/sessions/services/booking.py", "from modules.sessions import api"),
    ("layers", "modules/sessions/policy.py", "from modules.sessions import queries"),
    ("layers", "modules/sessions/events.py", "from modules.sessions import states"),
    ("nothing-imports-demo", "core/apps.py", "import demo"),
    ("nothing-imports-demo", "modules/sessions/admin/sessions.py", "from demo import apps"),
]

ALLOWED = [
    ("modules/materials/receivers/panels.py", "from modules.notifications import events"),
    ("modules/notifications/receivers/notices.py", "from modules.materials import events"),
    ("modules/sessions/api.py", "from core.http import pages"),
    ("demo/apps.py", "from modules.sessions.services import booking"),
]


def test_no_code_uses_the_idna_codec_of_2003() -> None:
    """`fuß.example` would become `fuss.example`, which is somebody else's: core.text.email_addresses knows better."""
    folding = re.compile(r"""["']idna["']|encodings\.idna|punycode|idna_encoder""")
    assert folding.search('host.encode("idna")')

    assert [str(path) for path in (CHECKOUT / "src").rglob("*.py") if folding.search(path.read_text())] == []


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is checked."""
    copy = tmp_path_factory.mktemp("checkout")
    shutil.copy(CHECKOUT / "pyproject.toml", copy)
    shutil.copytree(CHECKOUT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return copy


def broken_in(checkout: Path) -> set[str]:
    """The ids of the contracts that are broken there."""
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=checkout,
        env={"PYTHONPATH": str(checkout / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = dict(re.findall(r"^(.+?) (KEPT|BROKEN)", run.stdout, re.MULTILINE))
    assert set(verdicts) == set(CONTRACTS.values()), run.stdout + run.stderr
    broken = {identifier for identifier, name in CONTRACTS.items() if verdicts[name] == "BROKEN"}
    assert run.returncode == (1 if broken else 0)
    return broken


@pytest.fixture
def plant(copy: Path) -> Any:
    """Writes a line at the end of a file of the copy, until the test is over."""
    before: dict[Path, str] = {}

    def plant(file: str, line: str) -> None:
        path = copy / "src" / file
        before[path] = path.read_text()
        path.write_text(f"{before[path]}\n\n{line}\n")

    yield plant
    for path, text in before.items():
        path.write_text(text)


def test_the_import_contracts_hold() -> None:
    assert broken_in(CHECKOUT) == set()


@pytest.mark.parametrize(("contract", "file", "line"), PLANTED)
def test_a_planted_violation_breaks_its_contract(plant: Any, copy: Path, contract: str, file: str, line: str) -> None:
    plant(file, line)

    assert contract in broken_in(copy)


def test_every_contract_has_a_planted_violation() -> None:
    assert {contract for contract, _, _ in PLANTED} == set(CONTRACTS)


@pytest.mark.parametrize(("file", "line"), ALLOWED)
def test_allowed_imports_pass(plant: Any, copy: Path, file: str, line: str) -> None:
    plant(file, line)

    assert broken_in(copy) == set()


def test_no_foreign_key_crosses_modules() -> None:
    """No import shows that: a foreign key names its table in a string."""
    modules = [app for app in apps.get_app_configs() if app.name.startswith("modules.")]
    assert modules

    pointed_at = {
        (app.name, field.related_model._meta.app_config.name)
        for app in modules
        for model in app.get_models(include_auto_created=True)
        for field in model._meta.get_fields(include_hidden=True)
        if field.is_relation and field.related_model
    }

    assert pointed_at - {(app.name, app.name) for app in modules} == {(app.name, "core") for app in modules}
