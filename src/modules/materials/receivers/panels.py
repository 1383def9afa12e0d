"""The panel of materials on the portal's page of a session: previews in which nothing is loaded or run."""

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
# Of a note, in characters.
EXCERPT_LENGTH = 2000


@answers(PanelsOfSession)
def build_panels(question: PanelsOfSession) -> list[Panel]:
    may_view = question.viewer.has_perm(VIEW)
    if not (question.can_moderate or may_view):
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
        "may_remove": question.can_moderate,
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
    """Return a material with an excerpt of its note, the host of its link, or the URL of its file."""
    file = material.file
    return {
        "material": material,
        "excerpt": material.excerpt,
        "is_cut": material.characters > EXCERPT_LENGTH,
        "host": parse_host(material.url),
        "file": file,
        "file_url": build_url(file, file_name=material.file_name, origin=origin) if file else "",
        "waits": file is not None and not is_available(file),
        # Other types are served as downloads.
        "is_picture": file is not None
        and can_be_shown_inline(file.content_type)
        and file.content_type.startswith("image/"),
    }


def parse_host(url: str) -> str:
    """Return the host of a URL in its ASCII form, which shows look-alike letters; empty if it is invalid."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    try:
        return normalize_domain(host)
    except ValueError:
        # An IPv6 address, or a name with characters that no domain has.
        return host if host.isascii() and all(len(label) <= MAX_LABEL_LENGTH for label in host.split(".")) else ""


def _get_list_url(session_id: int) -> str:
    return f"{reverse('admin:materials_material_changelist')}?session_id__exact={session_id}"
