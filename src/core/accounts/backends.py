"""How a user name and a password become a member, in the API and in the admin alike."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from core.accounts.models import User


class MemberBackend(ModelBackend):
    """Takes as long for a name that nobody has as for a wrong password."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: Any
    ) -> User | None:
        if username is None or password is None:
            return None
        try:
            member = User.objects.get_by_natural_key(username)
        except User.DoesNotExist:
            member = User(password=make_password(None), is_active=False)
        return member if member.check_password(password) and self.user_can_authenticate(member) else None
