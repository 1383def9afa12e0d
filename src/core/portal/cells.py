"""What a cell of a list is made of, where it holds more than one thing."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


def lines(first: object, *others: object) -> SafeString:
    """One thing under the other, the first in plain sight; what is empty is left out."""
    under = format_html_join("", '<span class="portal-muted">{}</span>', ((each,) for each in others if each))
    return format_html('<span class="portal-lines"><span>{}</span>{}</span>', first, under)
