"""Sending a stored file, piece by piece, whichever server asks."""

from collections.abc import AsyncIterator
from typing import IO, cast

from asgiref.sync import sync_to_async
from django.http import FileResponse


class StreamedFile(FileResponse):
    """Django's own reads the whole file before it sends any of it where the server is asynchronous."""

    block_size = 64 * 1024

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = sync_to_async(cast(IO[bytes], self.file_to_stream).read)
        while block := await read(self.block_size):
            yield block
