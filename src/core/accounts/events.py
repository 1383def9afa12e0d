"""What the accounts tell."""

from dataclasses import dataclass

from core.facts.base import Fact, Question

# What others read of a deactivation that concerns them, where nobody wrote anything else for them.
TOLD_OTHERS = "The account of its creator was deactivated."


@dataclass(frozen=True, kw_only=True)
class MemberRegistered(Fact):
    """Sent when an account has come to be, by its member or in the admin; not when a registration only wrote to the
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

    The reason is theirs alone to read. `told` is what others read whom it concerns; where it is empty, `TOLD_OTHERS`.
    """

    summary_template = "{actor} deactivated {member}"

    member_id: int
    told: str = ""


@dataclass(frozen=True, kw_only=True)
class MemberReactivated(Fact):
    """Sent when a deactivated member may log in again; old tokens stay dead."""

    summary_template = "{actor} reactivated {member}"

    member_id: int


@dataclass(frozen=True, kw_only=True)
class RightsChanged(Fact):
    """Sent when somebody gave a member rights or took them: staff, superuser, groups, permissions. The record holds
    them before and after."""

    summary_template = "{actor} changed the rights of {member}"

    member_id: int


@dataclass(frozen=True, kw_only=True)
class GroupChanged(Fact):
    """Sent when somebody made, changed or deleted a group. The record holds its name and its permissions before and
    after: those of all its members."""

    summary_template = "{actor} changed the group {group}"

    group_id: int
    group: str


@dataclass(frozen=True, kw_only=True)
class Consequence:
    """One thing that comes of a deactivation, and how often; in words ("3 sessions are cancelled"), for who decides."""

    key: str
    count: int
    words: str


@dataclass(frozen=True, kw_only=True)
class ConsequencesAsked(Question[list[Consequence]]):
    """What would come of it, were this member deactivated by `by_id` now? Of one who is already: what is still to come.

    Each answers with what comes of it there, and leaves out what does not.
    """

    member_id: int
    by_id: int

    def default(self) -> list[Consequence]:
        return []
