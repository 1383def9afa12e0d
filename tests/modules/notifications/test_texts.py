"""Texts that depend on more than a name."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from modules.notifications import texts


@pytest.mark.parametrize(
    ("minutes_before", "minutes_left", "words"),
    [
        (1440, 1440, "24 hours"),
        (1440, 1439, "24 hours"),
        (60, 60, "1 hour"),
        (60, 58, "1 hour"),
        (30, 30, "30 minutes"),
        (30, 29, "30 minutes"),
        (1, 1, "1 minute"),
        (90, 90, "1 hour 30 minutes"),
        (120, 119, "2 hours"),
        (2880, 2879, "2 days"),
        (4320, 4320, "3 days"),
        (3000, 3000, "2 days 2 hours"),
        (10080, 10079, "7 days"),
    ],
)
def test_a_reminder_in_time_names_the_offset(minutes_before: int, minutes_left: int, words: str) -> None:
    assert texts.write_reminder(title="Python", minutes_before=minutes_before, minutes_left=minutes_left) == texts.Text(
        title="Reminder for Python", message=f"Python starts in {words}."
    )


@pytest.mark.parametrize(
    ("minutes_before", "minutes_left", "words"),
    [
        (1440, 1425, "24 hours"),
        (1440, 1400, "23 hours"),
        (1440, 1000, "17 hours"),
        (1440, 400, "6 hours 45 minutes"),
        (1440, 65, "1 hour"),
        (1440, 70, "1 hour 15 minutes"),
        (60, 57, "57 minutes"),
        (60, 20, "20 minutes"),
        (60, 1, "1 minute"),
        (60, 0, "less than a minute"),
        (4320, 3900, "2 days 17 hours"),
        (2880, 2700, "45 hours"),
    ],
)
def test_a_late_reminder_names_the_time_that_is_left(minutes_before: int, minutes_left: int, words: str) -> None:
    text = texts.write_reminder(title="Python", minutes_before=minutes_before, minutes_left=minutes_left)

    assert text.message == f"Python starts in {words}."


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        (ZoneInfo("America/New_York"), "Sunday, 10 March 2024 at 03:00 (America/New_York)"),
        (ZoneInfo("Europe/Berlin"), "Sunday, 10 March 2024 at 08:00 (Europe/Berlin)"),
        (ZoneInfo("Asia/Kathmandu"), "Sunday, 10 March 2024 at 12:45 (Asia/Kathmandu)"),
        (UTC, "Sunday, 10 March 2024 at 07:00 (UTC)"),
    ],
)
def test_a_new_start_is_formatted_in_the_zone_of_the_reader(zone: Any, words: str) -> None:
    # The hour after the clocks went forward in New York.
    text = texts.write_session_rescheduled(title="Python", date=datetime(2024, 3, 10, 7, 0, tzinfo=UTC), zone=zone)

    assert text.message == f"Python has been moved to {words}."


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_an_empty_reason_is_not_mentioned(reason: str) -> None:
    assert texts.write_session_cancelled(title="Python", reason=reason).message == "Python has been cancelled."
    assert (
        texts.write_participant_removed(title="Python", reason=reason).message == "You have been removed from Python."
    )


def test_titles_are_not_changed() -> None:
    title = r'{0} %s <b>"C++" \n for $money</b>'

    assert texts.write_booking_requested(title=title, member="{member}") == texts.Text(
        title=f"New booking request for {title}", message="{member} wants to join your session."
    )
