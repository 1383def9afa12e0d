"""Sessions, booking requests, decision leases, reminders and calendar feeds.

Constraints guard the invariants: no session is overbooked, and a member has one request in a session.
"""

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import ExpressionWrapper, F, Q

from core.text.limits import MAX_REASON_LENGTH
from core.text.normalization import build_search_key
from core.time import clock
from modules.sessions.states import EVER_APPROVED, FINAL, OPEN, Status, TimedState, compute_next_transition_at

MIN_MINUTES, MAX_MINUTES = 15, 480
MIN_SEATS, MAX_SEATS = 2, 50


class Level(models.TextChoices):
    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class Session(models.Model):
    """A learning session that a member offers."""

    title = models.CharField(max_length=200)
    description = models.TextField(max_length=5000)
    subject = models.CharField(max_length=100)
    # The normalized subject, for searching.
    subject_key = models.CharField(max_length=300, editable=False)
    level = models.CharField(max_length=12, choices=Level.choices)
    date = models.DateTimeField("start")
    duration = models.PositiveSmallIntegerField(help_text="Minutes.")
    # Computed from start and duration.
    ends_at = models.DateTimeField("end", editable=False)
    # When the next transition by time is due, so that one index finds these sessions; null once the status is final.
    moves_at = models.DateTimeField(null=True, editable=False)
    max_participants = models.PositiveSmallIntegerField()
    # The number of participants. Denormalized, so that a constraint can prevent overbooking; see `verify_sessions`.
    participant_count = models.PositiveSmallIntegerField(default=0, editable=False)
    # The number of pending booking requests. Denormalized, so that lists need not count.
    waiting_count = models.PositiveIntegerField(default=0, editable=False)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sessions_offered")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING_APPROVAL)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)
    # The first approval, after which every member may see it, unless it is hidden.
    approved_at = models.DateTimeField(null=True, editable=False)
    decided_at = models.DateTimeField(null=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    hidden_at = models.DateTimeField(null=True, editable=False)
    # The title that a hidden session had when it was last visible; empty while it is not hidden.
    visible_title = models.CharField(max_length=200, blank=True, default="", editable=False)
    # When the next reminder of the creator and the participants is due; null if there is none.
    reminder_due_at = models.DateTimeField(null=True, editable=False)
    # When the creator is asked to decide on pending requests; null once that was done.
    nudge_due_at = models.DateTimeField(null=True, editable=False)
    # UID and SEQUENCE of its calendar event: the sequence grows with each change that calendars show.
    calendar_uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    calendar_sequence = models.PositiveIntegerField(default=0, editable=False)
    # Optimistic lock: grows with each edit; a decision in the portal sends the version that was read.
    content_version = models.PositiveIntegerField(default=0, editable=False)
    # When it was first edited after the approval, until a moderator has taken a second look.
    second_look_since = models.DateTimeField(null=True, editable=False)

    class Meta:
        permissions = [("moderate_session", "Can approve, reject, cancel and hide sessions")]
        constraints = [
            models.CheckConstraint(
                condition=Q(participant_count__lte=F("max_participants")), name="session_never_overbooked"
            ),
            models.CheckConstraint(
                condition=Q(max_participants__range=(MIN_SEATS, MAX_SEATS)), name="session_places_in_bounds"
            ),
            models.CheckConstraint(
                condition=Q(duration__range=(MIN_MINUTES, MAX_MINUTES)), name="session_duration_in_bounds"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("date")), name="session_ends_after_start"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="session_status_known"),
            models.CheckConstraint(condition=Q(level__in=Level.values), name="session_level_known"),
            models.CheckConstraint(condition=~Q(title="") & ~Q(subject="") & ~Q(description=""), name="session_named"),
            models.CheckConstraint(
                condition=~Q(status__in=sorted(EVER_APPROVED)) | Q(approved_at__isnull=False),
                name="session_approved_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(FINAL), moves_at__isnull=True)
                | (~Q(status__in=sorted(FINAL)) & Q(moves_at__isnull=False)),
                name="session_moves_until_final",
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(OPEN)) | Q(reminder_due_at__isnull=True, nudge_due_at__isnull=True),
                name="session_reminds_while_open",
            ),
        ]
        indexes = [
            models.Index(fields=["-date", "-id"], name="session_by_date"),
            models.Index(fields=["-created_at", "-id"], name="session_by_creation"),
            models.Index(fields=["status", "-date", "-id"], name="session_by_status"),
            models.Index(fields=["level", "-date", "-id"], name="session_by_level"),
            models.Index(fields=["creator", "-date", "-id"], name="session_by_creator"),
            models.Index(fields=["creator"], name="session_open_of_creator", condition=Q(moves_at__isnull=False)),
            models.Index(fields=["moves_at"], name="session_moves", condition=Q(moves_at__isnull=False)),
            models.Index(
                fields=["reminder_due_at"], name="session_reminder", condition=Q(reminder_due_at__isnull=False)
            ),
            models.Index(fields=["nudge_due_at"], name="session_nudge", condition=Q(nudge_due_at__isnull=False)),
            models.Index(
                fields=["second_look_since"], name="session_second_look", condition=Q(second_look_since__isnull=False)
            ),
            models.Index(fields=["created_at"], name="session_waiting", condition=Q(status=Status.PENDING_APPROVAL)),
            # Covers the query for how long decisions take.
            models.Index(
                fields=["decided_at", "created_at"],
                name="session_by_decision",
                condition=Q(decided_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.subject_key = build_search_key(self.subject)
        self.ends_at = self.date + timedelta(minutes=self.duration)
        self.moves_at = compute_next_transition_at(self.timed_state)
        self.visible_title = (self.visible_title or self.title) if self.hidden_at else ""
        fields = kwargs.get("update_fields")
        if fields is not None:
            kwargs["update_fields"] = {*fields, "subject_key", "ends_at", "moves_at", "visible_title"}
        super().save(*args, **kwargs)

    @property
    def timed_state(self) -> TimedState:
        return TimedState(
            status=Status(self.status),
            starts_at=self.date,
            ends_at=self.ends_at,
            has_participants=self.participant_count > 0,
        )

    @property
    def public_title(self) -> str:
        """The title for people who are not moderators: of a hidden session, the last one that was visible."""
        return (self.visible_title or self.title) if self.hidden_at else self.title

    @property
    def public_description(self) -> str:
        return "" if self.hidden_at else self.description

    @property
    def available_seats(self) -> int:
        return max(self.max_participants - self.participant_count, 0)

    @property
    def is_full(self) -> bool:
        return self.available_seats == 0


class DecisionLease(models.Model):
    """Keeps other moderators from deciding on a session in the portal until `ends_at`."""

    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="lease")
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    taken_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("taken_at")), name="lease_ends_after_it_was_taken")
        ]

    def __str__(self) -> str:
        return f"Lease on session {self.session_id} of {self.holder_id}"


class ReasonTemplate(models.Model):
    """A text that moderators can start from when they reject, in the order of `rank`."""

    title = models.CharField(max_length=100, unique=True, help_text="What moderators choose by.")
    text = models.TextField(
        max_length=MAX_REASON_LENGTH, help_text="What the creator will read, unless the moderator changes it."
    )
    rank = models.PositiveSmallIntegerField(default=0, help_text="The smallest comes first.")

    class Meta:
        ordering = ["rank", "title"]
        constraints = [
            models.CheckConstraint(condition=~Q(title="") & ~Q(text=""), name="reason_template_says_something")
        ]

    def __str__(self) -> str:
        return self.title


class BookingRequest(models.Model):
    """A member's request to join a session; once it is approved, the member is a participant.

    There is no table of participants, and so the two cannot disagree.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        REJECTED = "rejected"

    class Role(models.TextChoices):
        STUDENT = "student"
        TUTOR = "tutor"

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="booking_requests")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="booking_requests")
    message = models.TextField(max_length=1000, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    # Lists show pending requests first; a column, so that an index can have this order.
    is_waiting = models.GeneratedField(
        expression=ExpressionWrapper(Q(status="pending"), output_field=models.BooleanField()),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    requested_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    # Of participants only.
    role = models.CharField(max_length=7, choices=Role.choices, default=Role.STUDENT)
    joined_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "user"], name="one_request_a_member"),
            models.CheckConstraint(
                condition=Q(status="approved", joined_at__isnull=False, role__in=["student", "tutor"])
                | (Q(status__in=["pending", "rejected"], joined_at__isnull=True) & Q(role="student")),
                name="participant_is_approved_request",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "status"], name="request_of_user"),
            models.Index(fields=["session", "status"], name="request_by_status"),
            models.Index(fields=["session", "-is_waiting", "-requested_at", "-id"], name="request_waiting_first"),
        ]

    def __str__(self) -> str:
        return f"Request {self.pk} for session {self.session_id}"


class Reminder(models.Model):
    """Records that a member was reminded of a start at one offset, so that it happens once."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="reminders")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    minutes_before = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "user", "minutes_before", "starts_at"], name="one_reminder_a_start"
            )
        ]

    def __str__(self) -> str:
        return f"Reminder {self.minutes_before} minutes before session {self.session_id}"


class CalendarFeed(models.Model):
    """A link by which calendar programs read a member's sessions until it is revoked."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_feed")
    # The content of the signed token: replacing it revokes the old link.
    key = models.CharField(max_length=43, unique=True, editable=False)
    created_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Calendar feed of {self.user_id}"
