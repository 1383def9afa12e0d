"""What the page about a session shows of its materials: enough to judge them, and nothing that loads or runs."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.db.models.functions import Left, Length
from django.urls import reverse

from core.facts import answers
from core.portal.panels import Panel
from core.text.email_addresses import MAX_LABEL_LENGTH, normalize_domain
from modules.materials.file_types import can_be_shown_inline
from modules.materials.files.download_urls import build_url, is_available
from modules.materials.models import Material
from modules.sessions.events import PanelsOfSession

VIEW = "materials.view_material"
MAX_SHOWN = 200
# Of a note; the rest is on a page of its own.
EXCERPT_LENGTH = 2000


@answers(PanelsOfSession)
def panels_of(question: PanelsOfSession) -> list[Panel]:
    may_view = question.viewer.has_perm(VIEW)
    if not (question.moderates or may_view):
        return []
    materials = Material.objects.filter(session_id=question.session_id)
    count = materials.count()
    latest = (
        materials.select_related("uploaded_by", "file")
        .annotate(excerpt=Left("content", EXCERPT_LENGTH), characters=Length("content"))
        .defer("content")
        .order_by("-uploaded_at", "-pk")[:MAX_SHOWN]
    )
    context = {
        "materials": [_build_preview(material, question.origin) for material in latest],
        "count": count,
        "all_url": _get_list_url(question.session_id) if may_view else "",
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


def _build_preview(material: Any, origin: str) -> Mapping[str, Any]:
    """A material with a preview: an excerpt of a note, the host of a link, or the address of a file."""
    file = material.file
    return {
        "material": material,
        "excerpt": material.excerpt,
        "is_cut": material.characters > EXCERPT_LENGTH,
        "host": parse_host(material.url),
        "file": file,
        "file_url": build_url(file, file_name=material.file_name, origin=origin) if file else "",
        "waits": file is not None and not is_available(file),
        # As the address serves it: whatever else there is, a browser downloads.
        "is_picture": file is not None
        and can_be_shown_inline(file.content_type)
        and file.content_type.startswith("image/"),
    }


def parse_host(url: str) -> str:
    """The host that a link leads to, as it is asked for: letters that only look like others do not."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    try:
        return normalize_domain(host)
    except ValueError:
        # An address of IPv6, or a name with a sign that no domain has: it is asked for as it is.
        return host if host.isascii() and all(len(label) <= MAX_LABEL_LENGTH for label in host.split(".")) else ""


def _get_list_url(session_id: int) -> str:
    return f"{reverse('admin:materials_material_changelist')}?session_id__exact={session_id}"
