import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from core.checks import refuse_what_is_unsafe
from core.http.chunked_body import ChunkedBody

django_application = get_wsgi_application()
refuse_what_is_unsafe()
application = ChunkedBody(django_application, most=settings.REQUEST_MAX_BYTES)
