"""Choosing where to be told of what (docs/contract.md, "Notifications")."""

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
from modules.notifications.queries.preferences import preferences_of

UNSUBSCRIBING = "modules.notifications.unsubscribe"
# The id of a member, and kinds: some may be gone since.
_TOKEN = TypeAdapter(tuple[StrictInt, list[str]])


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """Whose mails of which kinds an unsubscribe link is about."""

    user: User
    kinds: tuple[Kind, ...]


def change_preferences(
    *, user: User, choices: Mapping[Kind, Choice], by: User | None, reason: str = ""
) -> dict[Kind, Channels]:
    """Set where the member wants to be told of these kinds, and answer what holds for all.

    What equals what holds already is no change: a default stays one. `by` is `None` for a link in a mail.
    """
    with transaction.atomic():
        # One change of a member's choices after the other.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        now = preferences_of(user)
        changes = {}
        for kind, choice in choices.items():
            before, channels = now[kind], choice.applied_to(now[kind])
            if (before.in_app, before.mail) == (channels.in_app, channels.mail):
                continue
            Preference.objects.update_or_create(
                user=user,
                kind=kind,
                defaults={"in_app": channels.in_app, "mail": channels.mail, "changed_at": clock.now()},
            )
            now[kind] = channels
            changes[str(kind)] = (_in_words(before), _in_words(channels))
        if changes:
            publish(PreferencesChanged(member_id=user.pk), by=by, reason=reason, changes=changes)
    return now


def unsubscribe_url(*, user_id: int, kinds: tuple[Kind, ...]) -> str:
    """Where a member ends the mails of these kinds, without a login and for as long as the account lives."""
    token = signing.dumps([user_id, sorted(kinds)], salt=UNSUBSCRIBING, compress=True)
    return f"{settings.SITE_URL}/unsubscribe/?{urlencode({'token': token})}"


def read_unsubscribe_token(token: str) -> Subscription:
    """What the token of a link is about. Raises `NotFound` for one that we did not make, or whose member is gone."""
    try:
        user_id, kinds = _TOKEN.validate_python(signing.loads(token, salt=UNSUBSCRIBING))
        user = User.objects.get(pk=user_id)
    except (signing.BadSignature, ValueError, User.DoesNotExist):
        raise NotFound("This link is not valid.") from None
    return Subscription(user=user, kinds=tuple(Kind(kind) for kind in kinds if kind in Kind.values))


def stop_mail(*, subscription: Subscription, everything: bool) -> None:
    """End the mails of the link's kinds, or of all. Twice is fine; what is shown in the app stays as it is."""
    kinds = tuple(Kind) if everything else subscription.kinds
    no_mail = dict.fromkeys(kinds, Choice(mail=False))
    change_preferences(user=subscription.user, choices=no_mail, by=None, reason="By a link in a mail.")


def _in_words(channels: Channels) -> str:
    places = [name for name, there in (("app", channels.in_app), ("mail", channels.mail)) if there]
    return " and ".join(places) or "nowhere"
