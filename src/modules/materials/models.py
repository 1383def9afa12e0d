"""What sessions share, and the bytes behind it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.time import clock


class StoredFile(models.Model):
    """Bytes in the storage. The row comes before the bytes and goes after them, so that none are ever lost sight of.

    While a material has it, `sweep_at` is empty; in every other state it says when the sweep may take the bytes away.
    """

    class Place(models.TextChoices):
        LOCAL = "local", "This machine"
        CLOUDINARY = "cloudinary", "Cloudinary"
        S3 = "s3", "S3"

    place = models.CharField(max_length=10, choices=Place.choices, default=Place.LOCAL)
    # Random: no part of it comes from a person.
    name = models.CharField(max_length=64, unique=True)
    size = models.PositiveBigIntegerField()
    content_type = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=clock.now)
    # When it was given up, for good: by its material, by an upload that failed, or by the sweep.
    released_at = models.DateTimeField(null=True, blank=True)
    sweep_at = models.DateTimeField(null=True, blank=True)
    # When the virus scanner is to look at it next; empty once it has found nothing. Without a scanner all are due.
    scan_at = models.DateTimeField(null=True, blank=True, default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(place__in=["local", "cloudinary", "s3"]), name="stored_file_place_known"
            ),
            models.CheckConstraint(condition=Q(size__gt=0), name="stored_file_not_empty"),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True) | Q(sweep_at__isnull=False), name="released_file_is_swept"
            ),
        ]
        indexes = [
            models.Index(fields=["sweep_at"], name="stored_file_due", condition=Q(sweep_at__isnull=False)),
            models.Index(fields=["scan_at"], name="stored_file_to_scan", condition=Q(scan_at__isnull=False)),
            models.Index(fields=["place", "id"], name="stored_file_in_place"),
        ]

    def __str__(self) -> str:
        return self.name


class Material(models.Model):
    """A file, a link or a note that a session shares. What does not belong to its type is empty."""

    class Type(models.TextChoices):
        FILE = "file"
        LINK = "link"
        NOTE = "note"

    session_id = models.BigIntegerField()
    title = models.CharField(max_length=200)
    type = models.CharField(max_length=4, choices=Type.choices)
    url = models.CharField(max_length=2000, blank=True)
    content = models.TextField(blank=True)
    file = models.OneToOneField(StoredFile, null=True, blank=True, on_delete=models.PROTECT, related_name="material")
    # As the uploader called it; only ever shown.
    file_name = models.CharField(max_length=255, blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(type="file") | Q(file__isnull=False, url="", content="") & ~Q(file_name=""),
                name="file_material_has_a_file_alone",
            ),
            models.CheckConstraint(
                condition=~Q(type="link")
                | Q(file__isnull=True, file_name="", content="")
                & (Q(url__istartswith="http://") | Q(url__istartswith="https://")),
                name="link_material_has_a_url_alone",
            ),
            models.CheckConstraint(
                condition=~Q(type="note") | Q(file__isnull=True, file_name="", url="") & ~Q(content=""),
                name="note_material_has_a_content_alone",
            ),
            models.CheckConstraint(condition=Q(type__in=["file", "link", "note"]), name="material_type_is_known"),
            models.CheckConstraint(condition=~Q(title=""), name="material_title_not_empty"),
        ]
        indexes = [
            models.Index(fields=["session_id", "uploaded_at", "id"], name="material_of_session"),
        ]

    def __str__(self) -> str:
        return self.title
