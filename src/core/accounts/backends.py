"""The authentication backend of the API and of the admin."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from core.accounts.models import User


class MemberBackend(ModelBackend):
    """Authenticates by user name or e-mail address; an unknown name takes as long as a wrong password."""

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
