"""Changing preferences, and unsubscribing by a link (docs/contract.md, "Notifications")."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils.http import urlencode
from pydantic import StrictInt, TypeAdapter

from core.accounts.models import User
from core.errors import NotFound
from core.facts.publish import publish
from core.time import clock
from modules.notifications.events import PreferencesChanged
from modules.notifications.kinds import Channels, Choice, Kind
from modules.notifications.models import Preference
from modules.notifications.queries.preferences import list_channels

UNSUBSCRIBE_SALT = "modules.notifications.unsubscribe"
# The id of a member, and kinds, which may no longer exist.
_TOKEN = TypeAdapter(tuple[StrictInt, list[str]])


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """The member and the kinds of notification that an unsubscribe link is about."""

    user: User
    kinds: tuple[Kind, ...]


def change_preferences(
    *, user: User, choices: Mapping[Kind, Choice], by: User | None, reason: str = ""
) -> dict[Kind, Channels]:
    """Set the channels of these kinds, and return the channels of all kinds.

    A choice that equals the present channels changes nothing: a default stays a default. `by` is `None` for an
    unsubscribe link.
    """
    with transaction.atomic():
        # Serializes concurrent changes of one member.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        now = list_channels(user)
        changes = {}
        for kind, choice in choices.items():
            before, channels = now[kind], choice.apply_to(now[kind])
            if (before.in_app, before.mail) == (channels.in_app, channels.mail):
                continue
            Preference.objects.update_or_create(
                user=user,
                kind=kind,
                defaults={"in_app": channels.in_app, "mail": channels.mail, "changed_at": clock.now()},
            )
            now[kind] = channels
            changes[str(kind)] = (_describe_channels(before), _describe_channels(channels))
        if changes:
            publish(PreferencesChanged(member_id=user.pk), by=by, reason=reason, changes=changes)
    return now


def build_unsubscribe_url(*, user_id: int, kinds: tuple[Kind, ...]) -> str:
    """Build the link by which a member unsubscribes from these kinds, without a login and without expiry."""
    token = signing.dumps([user_id, sorted(kinds)], salt=UNSUBSCRIBE_SALT, compress=True)
    return f"{settings.SITE_URL}/unsubscribe/?{urlencode({'token': token})}"


def read_unsubscribe_token(token: str) -> Subscription:
    """Parse the token of an unsubscribe link. Raises `NotFound` for an invalid token or a deleted member."""
    try:
        user_id, kinds = _TOKEN.validate_python(signing.loads(token, salt=UNSUBSCRIBE_SALT))
        user = User.objects.get(pk=user_id)
    except (signing.BadSignature, ValueError, User.DoesNotExist):
        raise NotFound("This link is not valid.") from None
    return Subscription(user=user, kinds=tuple(Kind(kind) for kind in kinds if kind in Kind.values))


def stop_mail(*, subscription: Subscription, everything: bool) -> None:
    """Disable mail of the link's kinds, or of all. Idempotent; notifications in the app do not change."""
    kinds = tuple(Kind) if everything else subscription.kinds
    no_mail = dict.fromkeys(kinds, Choice(mail=False))
    change_preferences(user=subscription.user, choices=no_mail, by=None, reason="By a link in a mail.")


def _describe_channels(channels: Channels) -> str:
    names = [name for name, is_on in (("app", channels.in_app), ("mail", channels.mail)) if is_on]
    return " and ".join(names) or "nowhere"
