"""Template filters and tags of the portal."""

from datetime import datetime

from django import template
from django.template import Context, Engine
from django.utils.safestring import SafeString

from core.portal import times
from core.portal.panels import Panel
from core.time import durations

register = template.Library()
register.filter("instant", times.render_instant)
register.filter("relative_time", durations.format_relative_time)


@register.filter
def isoformat(value: datetime) -> str:
    """Format an instant in ISO 8601, to the microsecond."""
    return value.isoformat()


@register.simple_tag(takes_context=True)
def show_panel(context: Context, panel: Panel) -> SafeString:
    """Render a panel's template with its context and that of the page."""
    content = Engine.get_default().get_template(panel.template)
    with context.push(**panel.context):
        return content.render(context)
