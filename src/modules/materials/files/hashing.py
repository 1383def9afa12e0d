"""The SHA-256 of a file, by which bytes are compared with their row, and uploads with the former version."""

import hashlib
from typing import IO

CHUNK_SIZE = 1024 * 1024


def compute_hash(content: IO[bytes], *, copy_to: IO[bytes] | None = None) -> str:
    """Hash a file from its current position to its end; return hexadecimal digits. `copy_to` receives the bytes."""
    digest = hashlib.sha256()
    while chunk := content.read(CHUNK_SIZE):
        digest.update(chunk)
        if copy_to is not None:
            copy_to.write(chunk)
    return digest.hexdigest()
