"""The facts and questions about accounts."""

from dataclasses import dataclass

from core.facts.base import Fact, Question

# What other members read of a deactivation, unless the moderator wrote something else.
DEFAULT_EXPLANATION = "The account of its creator was deactivated."


@dataclass(frozen=True, kw_only=True)
class MemberRegistered(Fact):
    """Sent when an account was created, by its member or in the admin; not when a registration only sent a mail to the
    owner of a taken address."""

    summary_template = "{member} got an account"

    member_id: int
    username: str


@dataclass(frozen=True, kw_only=True)
class ProfileChanged(Fact):
    """Sent when a member's name or time zone has changed; the record holds the values before and after."""

    summary_template = "{actor} changed the profile of {member}"

    member_id: int


@dataclass(frozen=True, kw_only=True)
class AddressChanged(Fact):
    """Sent when a member has confirmed a new e-mail address."""

    summary_template = "{actor} changed the address of {member}"

    member_id: int


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(Fact):
    """Sent when a password was changed or reset, which ended every login of the member."""

    summary_template = "{actor} changed the password of {member}"

    member_id: int


@dataclass(frozen=True, kw_only=True)
class LoggedOutEverywhere(Fact):
    """Sent when a member ended all of their logins."""

    summary_template = "{member} logged out everywhere"

    member_id: int


@dataclass(frozen=True, kw_only=True)
class MemberDeactivated(Fact):
    """Sent when a member may no longer log in; their logins have ended.

    Only they read the reason. `told` is the explanation for other members; if it is empty, `DEFAULT_EXPLANATION`.
    """

    summary_template = "{actor} deactivated {member}"

    member_id: int
    told: str = ""


@dataclass(frozen=True, kw_only=True)
class MemberReactivated(Fact):
    """Sent when a deactivated member may log in again; old tokens stay invalid."""

    summary_template = "{actor} reactivated {member}"

    member_id: int


@dataclass(frozen=True, kw_only=True)
class RightsChanged(Fact):
    """Sent when the rights of a member were changed: staff, superuser, groups, permissions. The record holds both."""

    summary_template = "{actor} changed the rights of {member}"

    member_id: int


@dataclass(frozen=True, kw_only=True)
class GroupChanged(Fact):
    """Sent when a group was created, changed or deleted. The record holds its name and permissions before and after."""

    summary_template = "{actor} changed the group {group}"

    group_id: int
    group: str


@dataclass(frozen=True, kw_only=True)
class Consequence:
    """One consequence of a deactivation, with its count and as a sentence ("3 sessions are cancelled")."""

    key: str
    count: int
    text: str


@dataclass(frozen=True, kw_only=True)
class ConsequencesAsked(Question[list[Consequence]]):
    """What would follow if `by_id` deactivated this member now? If they are deactivated already: what is still pending.

    Each module answers with the consequences for its own data, without those that count zero.
    """

    member_id: int
    by_id: int

    def default(self) -> list[Consequence]:
        return []
