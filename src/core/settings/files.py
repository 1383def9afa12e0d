"""Static files, uploads and the bodies of requests."""

from environs import validate

from core.settings.base import DATA_DIR, env
from core.settings.materials import MATERIALS_MAX_BYTES
from core.settings.web import DEBUG

MEDIA_ROOT = DATA_DIR / "media"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
# In development files are served from the packages, elsewhere from STATIC_ROOT after `collectstatic`.
SERVESTATIC_USE_FINDERS = DEBUG
SERVESTATIC_AUTOREFRESH = DEBUG

# The limit of bodies, except for forms of operations with files: there MATERIALS_MAX_BYTES limits a file while it is
# read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# The first replaces the parser of forms; the others store the files.
FILE_UPLOAD_HANDLERS = [
    "core.http.multipart.FormUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# Larger bodies are refused (413) without being read. Twice the limit of files, so that the error for a slightly larger
# file names its field.
REQUEST_MAX_BYTES = 2 * MATERIALS_MAX_BYTES + DATA_UPLOAD_MAX_MEMORY_SIZE
# Smaller files stay in memory until they are stored, and many uploads may run at once.
FILE_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
# Concurrent uploads of one member to one web process; a browser opens six connections to a host.
UPLOADS_MAX_AT_ONCE_PER_MEMBER: int = env.int("UPLOADS_MAX_AT_ONCE_PER_MEMBER", 10, validate=validate.Range(min=1))
# A body is refused (408) if it neither ends within so many seconds nor arrives at the minimum rate.
REQUEST_BODY_SECONDS: int = env.int("REQUEST_BODY_SECONDS", 20, validate=validate.Range(min=1))
REQUEST_MIN_BYTES_PER_SECOND: int = env.int("REQUEST_MIN_BYTES_PER_SECOND", 1000, validate=validate.Range(min=1))
