"""What the documentation names exists: files, headings, recipes, commands, variables and terms."""

import fnmatch
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from tests.sets import ANY_DATABASE, EACH_DATABASE, SQLITE_ONLY, WALKS

CHECKOUT = Path(settings.CHECKOUT)
DOCUMENTS = sorted(
    path for path in [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")] if path.name != "CHANGELOG.md"
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
RECIPE = re.compile(r"^([a-z]+)(?: [^:\n]*)?:(?: _development)?$", re.MULTILINE)
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)
NAMED_FILE = re.compile(r"`((?:src|tests|docs|drill|bench|requirements|screenshots)/[\w./-]+)`")


def name_of(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def find_anchors(document: Path) -> set[str]:
    """The headings of a document, as links name them."""
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def find_commands(document: Path) -> Iterator[str]:
    """Each command line that begins with `./just`, in blocks and in the text."""
    text = document.read_text()
    for block in SHELL.findall(text):
        yield from re.findall(r"(?:^|; |&& )(\./just(?: [^#\n]*)?)", block, re.MULTILINE)
    yield from (command for command in re.findall(r"`(?:[A-Z_]+=\S+ )*(\./just[^`]*)`", text))


def list_recipes() -> dict[str, str]:
    """The recipes of the justfile, each with its body."""
    parts = re.split(
        r"^([a-z]+)(?: [^:\n]*)?:(?: _development)?$", (CHECKOUT / "justfile").read_text(), flags=re.MULTILINE
    )
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_to_files_and_headings_that_exist(document: Path) -> None:
    broken = []
    for link in LINK.findall(document.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in find_anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_files_that_are_named_exist(document: Path) -> None:
    named = NAMED_FILE.findall(document.read_text())

    assert [name for name in named if not (CHECKOUT / name).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_recipes_and_commands_that_are_named_exist(document: Path) -> None:
    unknown = []
    for command in find_commands(document):
        words = shlex.split(command.replace("…", ""))[1:]
        if not words or words[0].startswith("-"):
            continue
        if (
            words[0] not in list_recipes()
            or (words[0] == "manage" and words[1:] and words[1] not in get_commands())
            or any(word.startswith("tests/") and not (CHECKOUT / word.partition("::")[0]).exists() for word in words)
        ):
            unknown.append(command)
    assert unknown == []


def test_commands_in_blocks_take_the_options_that_are_shown() -> None:
    shown = {command for document in DOCUMENTS for command in find_commands(document) if "--" in command}
    known = {
        "test": (CHECKOUT / "tests" / "run").read_text(),
        "drill": (CHECKOUT / "drill" / "__main__.py").read_text(),
        "events": (CHECKOUT / "src" / "core" / "management" / "commands" / "list_events.py").read_text(),
        "lock": "--upgrade-package",
    }
    unknown = []
    for command in shown:
        recipe, *words = shlex.split(command)[1:]
        options = [word for word in words if word.startswith("--")]
        if recipe in known:
            unknown += [command for option in options if option.lstrip("-") not in known[recipe]]
    assert unknown == []


@pytest.mark.parametrize(("document", "most"), [("README.md", 150)])
def test_the_front_page_is_short(document: str, most: int) -> None:
    assert len((CHECKOUT / document).read_text().splitlines()) <= most


def test_each_decision_is_in_the_index() -> None:
    folder = CHECKOUT / "docs" / "decisions"
    index = (folder / "README.md").read_text()

    assert set(LINK.findall(index)) == {path.name for path in folder.glob("*.md")} - {"README.md"}


def test_the_configuration_lists_exactly_the_variables_that_are_read() -> None:
    source = "".join(path.read_text() for path in sorted((CHECKOUT / "src" / "core" / "settings").glob("*.py")))
    read = set(re.findall(r"env\.[a-z_]+\(\s*\"([A-Z0-9_]+)\"", source))
    text = (CHECKOUT / "docs" / "configuration.md").read_text()
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row)}

    assert {name for name in listed if not name.startswith("TEST_")} == read


def test_the_hooks_of_pre_commit_are_the_steps_of_check() -> None:
    hooks = re.findall(r"entry: \./just check (\w+)", (CHECKOUT / ".pre-commit-config.yaml").read_text())
    steps = re.findall(r"^    step (\w+) ", list_recipes()["check"], re.MULTILINE)

    assert hooks == list(dict.fromkeys(steps))


def test_each_recipe_says_what_it_does_and_has_a_group() -> None:
    lines = (CHECKOUT / "justfile").read_text().splitlines()
    for name in list_recipes():
        if name == "default":  # It is private.
            continue
        (at,) = [number for number, line in enumerate(lines) if (found := RECIPE.match(line)) and found[1] == name]
        above = lines[max(at - 3, 0) : at]
        assert any(line.startswith("# ") for line in above), name
        assert any(line.startswith("[group(") for line in above), name


def test_names_of_code_in_the_glossary_exist() -> None:
    glossary = (CHECKOUT / "docs" / "glossary.md").read_text()
    cells = [row.split("|")[2] for row in glossary.splitlines() if row.startswith("| ") and row.count("|") >= 4]
    names = {name for cell in cells for name in re.findall(r"`@?\.?(\w+?)(?:\(\))?`", cell)}
    source = "\n".join(path.read_text() for path in (CHECKOUT / "src").rglob("*.py"))

    assert sorted(name for name in names if not re.search(rf"\b{name}\b", source)) == []


def test_stored_names_in_the_glossary_exist() -> None:
    rows = (CHECKOUT / "docs" / "glossary.md").read_text().partition("## Stored and public names")[2]
    names = {
        name
        for row in re.findall(r"^\| (`[^|]*) \|", rows, re.MULTILINE)
        for name in re.findall(r"`(?:\w+\.)?(\w+)`", row)
    }
    source = "\n".join(path.read_text() for path in (CHECKOUT / "src").rglob("*.py"))

    assert names
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", source)) == []


def test_python_files_that_are_named_by_the_end_of_their_path_exist() -> None:
    files = [path.as_posix() for folder in ("src", "tests", "drill") for path in (CHECKOUT / folder).rglob("*.py")]
    for name in ("architecture", "glossary", "operations", "configuration", "contract", "portal"):
        text = (CHECKOUT / "docs" / f"{name}.md").read_text()
        named = re.findall(r"`([\w/]+\.py)`", text)
        assert [end for end in named if not any(file.endswith(f"/{end}") for file in files)] == [], name


@pytest.mark.parametrize("document", [*DOCUMENTS, CHECKOUT / "CHANGELOG.md"], ids=name_of)
def test_lines_of_text_fit_into_120_columns(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)

    assert [line for line in text.splitlines() if len(line) > 120 and not line.startswith("|")] == []


def test_shell_blocks_parse() -> None:
    for document in DOCUMENTS:
        for block in SHELL.findall(document.read_text()):
            run = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
            assert (run.returncode, run.stderr) == (0, ""), document


def test_each_pattern_of_the_sets_of_tests_names_a_file() -> None:
    files = [name_of(path) for path in (CHECKOUT / "tests").rglob("test_*.py")]

    assert [each for each in (*ANY_DATABASE, *EACH_DATABASE) if not fnmatch.filter(files, each)] == []
    assert [each for each in (*WALKS, *SQLITE_ONLY) if not (CHECKOUT / each.partition("::")[0]).exists()] == []
