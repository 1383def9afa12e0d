"""The channels of each kind of notification that members prefer."""

from collections.abc import Collection, Mapping

from core.accounts.models import User
from modules.notifications.kinds import Channels, Kind, get_default_channels
from modules.notifications.models import Preference


def list_channels(user: User) -> dict[Kind, Channels]:
    """What holds for the member, for every kind: as they chose it, or by default."""
    chosen = {row.kind: _read_channels(row) for row in Preference.objects.filter(user=user)}
    return {kind: chosen.get(kind) or get_default_channels(kind) for kind in Kind}


def list_channels_by_member(user_ids: Collection[int], kind: Kind) -> Mapping[int, Channels]:
    """Where each of these members (by id) wants to be told of this kind. One query."""
    chosen = {row.user_id: _read_channels(row) for row in Preference.objects.filter(user__in=user_ids, kind=kind)}
    return {user_id: chosen.get(user_id) or get_default_channels(kind) for user_id in user_ids}


def _read_channels(row: Preference) -> Channels:
    return Channels(in_app=row.in_app, mail=row.mail, chosen=True)
