"""Fixtures for tests of exports."""

from collections.abc import Callable

import pytest
from django.test import Client
from tests.portal import grant, log_in

from core.accounts.models import User


@pytest.fixture
def staff(make_member: Callable[..., User]) -> Callable[..., Client]:
    """Make staff with these permissions only."""

    def make(*permissions: str) -> Client:
        return log_in(grant(make_member("staff", is_staff=True), *permissions))

    return make
