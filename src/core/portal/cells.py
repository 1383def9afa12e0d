"""HTML for cells of lists that show several values."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


def render_lines(first: object, *others: object) -> SafeString:
    """Render values one below the other, all but the first muted; empty ones are left out."""
    muted = format_html_join("", '<span class="portal-muted">{}</span>', ((each,) for each in others if each))
    return format_html('<span class="portal-lines"><span>{}</span>{}</span>', first, muted)
