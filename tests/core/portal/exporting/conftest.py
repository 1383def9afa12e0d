"""What the tests of this folder can ask for."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from core.accounts.models import User


@pytest.fixture
def staff(make_member: Callable[..., User]) -> Callable[..., Client]:
    """Somebody of the staff with these permissions alone."""

    def make(*permissions: str) -> Client:
        user = make_member("staff", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    return make
