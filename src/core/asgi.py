import os
from typing import cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application

from core.checks import refuse_what_is_unsafe
from core.http.body_limit import Application, BodyLimit

django_application = get_asgi_application()
refuse_what_is_unsafe()
application = BodyLimit(cast(Application, django_application), most=settings.REQUEST_MAX_BYTES)
