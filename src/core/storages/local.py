"""Files in a folder of this machine, which the application serves itself."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from core.storages import Listed


class LocalStorage(FileSystemStorage):
    """Django's own, but that what it says is saved is still there after the power has failed."""

    def __init__(self, location: str, base_url: str | None = None) -> None:
        super().__init__(location=location, base_url=base_url)

    def walk(self) -> Iterator[Listed]:
        """Everything in the folder. Raises `OSError` where a part of it cannot be looked into."""
        root = Path(self.location)
        if not root.exists():
            return
        for folder, _, names in os.walk(root, onerror=_raise):
            for name in names:
                file = Path(folder, name)
                try:
                    size = file.lstat().st_size
                except FileNotFoundError:
                    # Deleted since the folder was read.
                    continue
                yield Listed(name=file.relative_to(root).as_posix(), size=size)

    def _save(self, name: str, content: File) -> str:  # type: ignore[type-arg]
        path = self._new_file(name)
        try:
            self._ensure_location_group_id(str(path))  # type: ignore[attr-defined]
            if self.file_permissions_mode is not None:
                path.chmod(self.file_permissions_mode)
            with path.open("wb") as file:
                # Copied even if the upload lies in a file of its own, which could be moved: it is the caller's.
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            self._sync_folders_of(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path.relative_to(self.location).as_posix()

    def _new_file(self, name: str) -> Path:
        """Empty, and nobody else's: another saving that was given the same name finds it and takes one more."""
        while True:
            path = Path(self.path(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                path.touch(exist_ok=False)
            except FileExistsError:
                name = self.get_available_name(name)
            else:
                return path

    def _sync_folders_of(self, path: Path) -> None:
        """A file that is on the disk is lost all the same where one of the folders that lead to it is not."""
        root = Path(self.location)
        for folder in path.parents:
            try:
                descriptor = os.open(folder, os.O_RDONLY)
            except PermissionError:
                # One that may not be read is none that was made here; and Windows opens no folders.
                return
            try:
                with _if_supported():
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            # The folder above the root too: the root itself may be new.
            if folder == root.parent:
                return


@contextmanager
def _if_supported() -> Iterator[None]:
    """Some file systems, above all those of networks, have no such promise to give for a folder."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise


def _raise(error: OSError) -> None:
    raise error
