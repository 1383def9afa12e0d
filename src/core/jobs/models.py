"""When the worker last did what it does again and again."""

from django.db import models


class Sweep(models.Model):
    """One kind of work that looks again and again for what is due: the worker's visible heartbeat.

    Any number of workers may want to begin it; the row gives the turn to one.
    """

    name = models.CharField(max_length=100, unique=True)
    # How often it is meant to run.
    every = models.DurationField()
    started_at = models.DateTimeField()
    # Empty until it has ended well for the first time.
    finished_at = models.DateTimeField(null=True)
    # How many rows it took up the last time.
    taken_up = models.PositiveIntegerField(default=0)
    failed_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "background work"

    def __str__(self) -> str:
        return self.name
