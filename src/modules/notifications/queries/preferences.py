"""Where members want to be told of what."""

from collections.abc import Collection, Mapping

from core.accounts.models import User
from modules.notifications.kinds import Channels, Kind, default_channels
from modules.notifications.models import Preference


def preferences_of(user: User) -> dict[Kind, Channels]:
    """What holds for the member, for every kind: as they chose it, or by default."""
    chosen = {row.kind: _channels(row) for row in Preference.objects.filter(user=user)}
    return {kind: chosen.get(kind) or default_channels(kind) for kind in Kind}


def channels_for(user_ids: Collection[int], kind: Kind) -> Mapping[int, Channels]:
    """Where each of these members (by id) wants to be told of this kind. One query."""
    chosen = {row.user_id: _channels(row) for row in Preference.objects.filter(user__in=user_ids, kind=kind)}
    return {user_id: chosen.get(user_id) or default_channels(kind) for user_id in user_ids}


def _channels(row: Preference) -> Channels:
    return Channels(in_app=row.in_app, mail=row.mail, chosen=True)
