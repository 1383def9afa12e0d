"""What the templates of the portal write again and again."""

from django import template

from core.portal import times

register = template.Library()
register.filter("moment", times.moment)
register.filter("ago", times.ago)
register.filter("lasting", times.lasting)
