"""What the templates of the portal write again and again."""

from datetime import datetime

from django import template
from django.template import Context, Engine
from django.utils.safestring import SafeString

from core.portal import times
from core.portal.panels import Panel
from core.time import durations

register = template.Library()
register.filter("moment", times.render_instant)
register.filter("ago", durations.format_relative_time)
register.filter("lasting", durations.format_duration)


@register.filter
def instant(value: datetime) -> str:
    """As programs write it, to the microsecond."""
    return value.isoformat()


@register.simple_tag(takes_context=True)
def show_panel(context: Context, panel: Panel) -> SafeString:
    """A panel's template, rendered with its context and with what the page itself knows."""
    content = Engine.get_default().get_template(panel.template)
    with context.push(**panel.context):
        return content.render(context)
