import os
from typing import cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

from core.http.body_limit import BodyLimit

django_application = get_asgi_application()

from django.conf import settings  # noqa: E402

application = BodyLimit(cast(Application, django_application), most=settings.REQUEST_MAX_BYTES)
