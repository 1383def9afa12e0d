"""Static files, uploads and the bodies of requests."""

from environs import validate

from core.settings.base import DATA_DIR, env
from core.settings.materials import MATERIALS_MAX_BYTES
from core.settings.web import DEBUG

MEDIA_ROOT = DATA_DIR / "media"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
# In development files come straight from the packages; elsewhere `collectstatic` has put them into STATIC_ROOT.
SERVESTATIC_USE_FINDERS = DEBUG
SERVESTATIC_AUTOREFRESH = DEBUG

# A body larger than this is refused, unless it is a form for an operation that takes files; a file is held to
# MATERIALS_MAX_BYTES while it is read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# The first reads forms as clients really send them; the others keep the files.
FILE_UPLOAD_HANDLERS = [
    "core.http.multipart.FormUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# Beyond what any operation takes: answered 413 without being read. Twice the file limit, so that a file that is
# merely too large still gets the answer that names its field.
REQUEST_MAX_BYTES = 2 * MATERIALS_MAX_BYTES + DATA_UPLOAD_MAX_MEMORY_SIZE
# What is smaller waits in memory until it is stored, and there are many at once.
FILE_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
# Uploads that one member may have on their way to one web process: a browser opens six connections to a host.
UPLOADS_MAX_AT_ONCE_PER_MEMBER: int = env.int("UPLOADS_MAX_AT_ONCE_PER_MEMBER", 10, validate=validate.Range(min=1))
# A body is given up with a 408 when so many seconds have not brought its end, nor as many bytes a second.
REQUEST_BODY_SECONDS: int = env.int("REQUEST_BODY_SECONDS", 20, validate=validate.Range(min=1))
REQUEST_MIN_BYTES_PER_SECOND: int = env.int("REQUEST_MIN_BYTES_PER_SECOND", 1000, validate=validate.Range(min=1))
