"""The SHA-256 of a file's bytes: what its row is compared with, and what makes an upload a new version."""

import hashlib
from typing import IO

CHUNK_SIZE = 1024 * 1024


def compute_hash(content: IO[bytes], *, copy_to: IO[bytes] | None = None) -> str:
    """Read a file from where it stands to its end, a chunk at a time; return the hash in hexadecimal digits.

    `copy_to` receives the bytes that were read. Raises what reading raises.
    """
    digest = hashlib.sha256()
    while chunk := content.read(CHUNK_SIZE):
        digest.update(chunk)
        if copy_to is not None:
            copy_to.write(chunk)
    return digest.hexdigest()
