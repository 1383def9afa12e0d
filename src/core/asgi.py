import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

import django

from core.http.handler import Handler
from core.settings.checks import require_safe_settings

django.setup(set_prefix=False)
require_safe_settings()
application = Handler()
