"""Generated sections of the documentation, between the markers `<!-- name -->` and `<!-- /name -->`."""

import re
from pathlib import Path

from django.conf import settings

DOCS = Path(settings.CHECKOUT) / "docs"


def read_section(document: str, name: str) -> str:
    """Return the content of a section, stripped. Raises `LookupError` if the markers are missing."""
    found = _build_pattern(name).search((DOCS / document).read_text())
    if found is None:
        raise LookupError(f"docs/{document} has no section between <!-- {name} --> and <!-- /{name} -->")
    return found["content"].strip()


def write_section(document: str, name: str, content: str) -> None:
    """Replace the content of a section. Raises `LookupError` if the markers are missing."""
    read_section(document, name)
    path = DOCS / document
    section = f"<!-- {name} -->\n\n{content}\n\n<!-- /{name} -->"
    path.write_text(_build_pattern(name).sub(lambda _: section, path.read_text()))


def _build_pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"<!-- {name} -->(?P<content>.*?)<!-- /{name} -->", re.DOTALL)
