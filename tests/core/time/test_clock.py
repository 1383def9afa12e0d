"""The clock of the product."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.core.conftest import NOW

from core.time import clock as the_clock


def test_the_current_time_is_in_utc(clock: Any) -> None:
    assert the_clock.now() == NOW
    assert the_clock.now().tzinfo is UTC


def test_tests_can_move_the_clock(clock: Any) -> None:
    clock.shift(timedelta(hours=1))

    assert the_clock.now() == NOW + timedelta(hours=1)


def test_freezing_can_be_nested_and_ends_with_its_context(clock: Any) -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)

    with the_clock.freeze_at(past):
        assert the_clock.now() == past
        with the_clock.freeze_at(NOW + timedelta(days=1)):
            assert the_clock.now() == NOW + timedelta(days=1)
        assert the_clock.now() == past

    assert the_clock.now() == NOW
