import os
from typing import cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application

from core.http.body_limit import Application, BodyLimit

application = BodyLimit(cast(Application, get_asgi_application()), most=settings.REQUEST_MAX_BYTES)
