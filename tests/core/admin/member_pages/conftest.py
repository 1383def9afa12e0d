"""What the tests of this folder can ask for."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from core.accounts.events import (
    ConsequencesAsked,
)
from core.accounts.models import User
from core.portal.panels import PanelsOfMember


@pytest.fixture
def reader(make_member: Callable[..., User]) -> User:
    """May read of members, and nothing else."""
    member = make_member("reader", is_staff=True)
    member.user_permissions.add(Permission.objects.get(codename="view_user"))
    return member


@pytest.fixture
def auditor(make_member: Callable[..., User]) -> User:
    """May read of members, and the whole record of facts."""
    member = make_member("auditor", is_staff=True)
    member.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "view_factrecord"]))
    return member


@pytest.fixture
def boss(make_member: Callable[..., User]) -> User:
    return make_member("boss", is_staff=True, is_superuser=True)


@pytest.fixture
def alone(answer: Any) -> None:
    """No module has anything to say of members."""
    answer(PanelsOfMember, lambda question: None)
    answer(ConsequencesAsked, lambda question: None)
