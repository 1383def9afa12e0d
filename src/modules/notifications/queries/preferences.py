"""The channels that members prefer for each kind of notification."""

from collections.abc import Collection, Mapping

from core.accounts.models import User
from modules.notifications.kinds import Channels, Kind, get_default_channels
from modules.notifications.models import Preference


def list_channels(user: User) -> dict[Kind, Channels]:
    """List the member's channels for every kind: those that they chose, or the defaults."""
    chosen = {row.kind: _read_channels(row) for row in Preference.objects.filter(user=user)}
    return {kind: chosen.get(kind) or get_default_channels(kind) for kind in Kind}


def list_channels_by_member(user_ids: Collection[int], kind: Kind) -> Mapping[int, Channels]:
    """List the channels for one kind of each of these members, by id. One query."""
    chosen = {row.user_id: _read_channels(row) for row in Preference.objects.filter(user__in=user_ids, kind=kind)}
    return {user_id: chosen.get(user_id) or get_default_channels(kind) for user_id in user_ids}


def _read_channels(row: Preference) -> Channels:
    return Channels(in_app=row.in_app, mail=row.mail, chosen=True)
