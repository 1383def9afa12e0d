"""The one clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.core.conftest import NOW

from core.time import clock as the_clock


def test_it_tells_the_instant_in_utc(clock: Any) -> None:
    assert the_clock.now() == NOW
    assert the_clock.now().tzinfo is UTC


def test_tests_can_move_it(clock: Any) -> None:
    clock.shift(timedelta(hours=1))

    assert the_clock.now() == NOW + timedelta(hours=1)


def test_it_can_be_stopped_for_a_while(clock: Any) -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)

    with the_clock.freeze_at(past):
        assert the_clock.now() == past
        with the_clock.freeze_at(NOW + timedelta(days=1)):
            assert the_clock.now() == NOW + timedelta(days=1)
        assert the_clock.now() == past

    assert the_clock.now() == NOW
