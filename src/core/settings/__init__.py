"""Every setting, in sections, read from the environment by one library.

A variable that cannot be read stops the process with its name in the message. docs/configuration.md documents each one;
none is needed for the embedded default (SQLite, a queue in SQLite, files on disk).
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
