"""The last run of each periodic job."""

from django.db import models


class Sweep(models.Model):
    """The last run of a periodic job; together the rows are the worker's heartbeat.

    The row is also the lock by which one of many workers claims the run of an interval.
    """

    name = models.CharField(max_length=100, unique=True)
    # The interval of its schedule.
    every = models.DurationField()
    started_at = models.DateTimeField()
    # Null until the first run that succeeded.
    finished_at = models.DateTimeField(null=True)
    # The number of rows that the last successful run processed.
    taken_up = models.PositiveIntegerField(default=0)
    failed_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "background work"

    def __str__(self) -> str:
        return self.name
