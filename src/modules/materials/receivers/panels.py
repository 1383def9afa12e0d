"""What the page about a session shows of its materials: enough to judge them, and nothing that loads or runs."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.db.models.functions import Left, Length
from django.urls import reverse

from core.facts import answers
from core.portal.panels import Panel
from core.text.email_addresses import LONGEST_LABEL, normalize_domain
from modules.materials.file_types import may_be_shown
from modules.materials.files.addresses import address_of, is_available
from modules.materials.models import Material
from modules.sessions.events import PanelsOfSession

VIEW = "materials.view_material"
MOST_SHOWN = 200
# Of a note; the rest is on a page of its own.
MOST_CHARACTERS = 2000


@answers(PanelsOfSession)
def panels_of(question: PanelsOfSession) -> list[Panel]:
    may_view = question.viewer.has_perm(VIEW)
    if not (question.moderates or may_view):
        return []
    materials = Material.objects.filter(session_id=question.session_id)
    count = materials.count()
    latest = (
        materials.select_related("uploaded_by", "file")
        .annotate(excerpt=Left("content", MOST_CHARACTERS), characters=Length("content"))
        .defer("content")
        .order_by("-uploaded_at", "-pk")[:MOST_SHOWN]
    )
    context = {
        "materials": [_shown(material, question.origin) for material in latest],
        "count": count,
        "all_url": _list_of(question.session_id) if may_view else "",
        "may_view": may_view,
        "may_remove": question.moderates,
    }
    return [
        Panel(
            key="materials",
            title="Materials",
            template="admin/materials/panel.html",
            rank=40,
            count=count,
            context=context,
        )
    ]


def _shown(material: Any, origin: str) -> Mapping[str, Any]:
    """A material with a preview: an excerpt of a note, the host of a link, or the address of a file."""
    file = material.file
    return {
        "material": material,
        "excerpt": material.excerpt,
        "is_cut": material.characters > MOST_CHARACTERS,
        "host": host_of(material.url),
        "file": file,
        "file_url": address_of(file, file_name=material.file_name, origin=origin) if file else "",
        "waits": file is not None and not is_available(file),
        # As the address serves it: whatever else there is, a browser downloads.
        "is_picture": file is not None and may_be_shown(file.content_type) and file.content_type.startswith("image/"),
    }


def host_of(url: str) -> str:
    """The host that a link leads to, as it is asked for: letters that only look like others do not."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    try:
        return normalize_domain(host)
    except ValueError:
        # An address of IPv6, or a name with a sign that no domain has: it is asked for as it is.
        return host if host.isascii() and all(len(label) <= LONGEST_LABEL for label in host.split(".")) else ""


def _list_of(session_id: int) -> str:
    return f"{reverse('admin:materials_material_changelist')}?session_id__exact={session_id}"
