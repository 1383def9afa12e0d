"""Materials of sessions, and their files."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.time import clock


class StoredFile(models.Model):
    """A file in a storage, named by `place`. The row is created before the bytes and deleted after them.

    `sweep_at` is null while the file is attached to a material; otherwise it is when `sweep_files` may delete it.
    """

    class Storage(models.TextChoices):
        LOCAL = "local", "This machine"
        CLOUDINARY = "cloudinary", "Cloudinary"
        S3 = "s3", "S3"

    place = models.CharField(max_length=10, choices=Storage.choices, default=Storage.LOCAL)
    # Random, without any user input.
    name = models.CharField(max_length=64, unique=True)
    size = models.PositiveBigIntegerField()
    content_type = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=clock.now)
    # When its material was deleted or got another file, its upload failed, or its staging timed out. Never reset.
    released_at = models.DateTimeField(null=True, blank=True)
    sweep_at = models.DateTimeField(null=True, blank=True)
    # When the next virus scan is due; null once it found nothing. Without a scanner, files stay due.
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
    """A file, a link or a note that a session shares. Fields that do not belong to its type are empty."""

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
    # As the uploader named it; only shown, never used as a path.
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
