"""A Django storage in a folder of this machine, which the application serves itself."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from core.storages import ListedFile


class LocalStorage(FileSystemStorage):
    """Django's file storage, with saved files flushed to disk, so that they survive a power failure."""

    def __init__(self, location: str, base_url: str | None = None) -> None:
        super().__init__(location=location, base_url=base_url)

    def walk(self) -> Iterator[ListedFile]:
        """Iterate over all files in the folder. Raises `OSError` where a subfolder cannot be read."""
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
                yield ListedFile(name=file.relative_to(root).as_posix(), size=size)

    def _save(self, name: str, content: File) -> str:  # type: ignore[type-arg]
        path = self._create_empty_file(name)
        try:
            self._ensure_location_group_id(str(path))  # type: ignore[attr-defined]
            if self.file_permissions_mode is not None:
                path.chmod(self.file_permissions_mode)
            with path.open("wb") as file:
                # Copied and not moved, even from a temporary file, which belongs to the caller.
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            self._sync_parent_folders(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path.relative_to(self.location).as_posix()

    def _create_empty_file(self, name: str) -> Path:
        """Create an empty file under a free name; another save that was given the same name then chooses another."""
        while True:
            path = Path(self.path(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                path.touch(exist_ok=False)
            except FileExistsError:
                name = self.get_available_name(name)
            else:
                return path

    def _sync_parent_folders(self, path: Path) -> None:
        """Flush the folders that lead to a file, without which the file would be lost."""
        root = Path(self.location)
        for folder in path.parents:
            try:
                descriptor = os.open(folder, os.O_RDONLY)
            except PermissionError:
                # A folder without read permission was not created here; and Windows cannot open folders.
                return
            try:
                with _ignore_if_unsupported():
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            # Also the parent of the root, since the root itself may be new.
            if folder == root.parent:
                return


@contextmanager
def _ignore_if_unsupported() -> Iterator[None]:
    """Some file systems, such as network file systems, cannot flush a folder."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise


def _raise(error: OSError) -> None:
    raise error
