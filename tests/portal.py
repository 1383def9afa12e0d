"""Members in the portal: their clients, and their permissions."""

from django.contrib.auth.models import Permission
from django.test import Client

from core.accounts.models import User


def log_in(member: User | None) -> Client:
    """Build a client that is logged in as this member; for `None`, one that is not logged in."""
    client = Client()
    if member is not None:
        client.force_login(member)
    return client


def grant(member: User, *codenames: str) -> User:
    """Give a member these permissions; returns the member without cached permissions."""
    member.user_permissions.add(*(Permission.objects.get(codename=codename) for codename in codenames))
    return User.objects.get(pk=member.pk)
