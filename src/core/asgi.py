import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

import django

from core.http.handler import Handler
from core.settings.checks import refuse_what_is_unsafe

django.setup(set_prefix=False)
refuse_what_is_unsafe()
application = Handler()
