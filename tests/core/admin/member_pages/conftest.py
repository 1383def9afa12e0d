"""Fixtures for tests of the page of a member."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.portal import grant

from core.accounts.events import (
    ConsequencesAsked,
)
from core.accounts.models import User
from core.portal.panels import PanelsOfMember


@pytest.fixture
def reader(make_member: Callable[..., User]) -> User:
    """May view members, and nothing else."""
    return grant(make_member("reader", is_staff=True), "view_user")


@pytest.fixture
def auditor(make_member: Callable[..., User]) -> User:
    """May view members and all facts."""
    return grant(make_member("auditor", is_staff=True), "view_user", "view_factrecord")


@pytest.fixture
def no_module_answers(answer: Any) -> None:
    """No module answers questions about members."""
    answer(PanelsOfMember, lambda question: None)
    answer(ConsequencesAsked, lambda question: None)
