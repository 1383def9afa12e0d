"""Django's settings, in sections, read from environment variables.

An invalid variable stops the process with a message that names it. docs/configuration.md documents each variable; all
have defaults (SQLite, a queue in SQLite, files on disk).
"""

from core.settings.accounts import *
from core.settings.apps import *
from core.settings.base import *
from core.settings.database import *
from core.settings.files import *
from core.settings.jobs import *
from core.settings.logs import *
from core.settings.mail import *
from core.settings.materials import *
from core.settings.portal import *
from core.settings.sessions import *
from core.settings.web import *
