"""Attaching a staged file that was released meanwhile."""

from datetime import timedelta

import pytest
from django.utils import timezone

from modules.materials.files import stored_files
from modules.materials.models import StoredFile


@pytest.mark.django_db
def test_a_released_file_cannot_be_attached() -> None:
    taken_at = timezone.now()
    file = StoredFile.objects.create(
        place=StoredFile.Storage.LOCAL,
        name="materials/taken.pdf",
        size=3,
        content_type="application/pdf",
        sha256="0" * 64,
        created_at=taken_at - timedelta(days=1),
        released_at=taken_at,
        sweep_at=taken_at,
    )

    with pytest.raises(stored_files.StagedFileExpired):
        stored_files.attach(file)

    file.refresh_from_db()
    assert file.sweep_at == taken_at
