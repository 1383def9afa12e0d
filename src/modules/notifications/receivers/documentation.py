"""Render the table as Markdown, for docs/contract.md."""

from datetime import UTC, datetime
from types import SimpleNamespace

from modules.notifications.events import People
from modules.notifications.kinds import MAILED_AT_ONCE, get_default_channels
from modules.notifications.receivers.rules import News, Rule
from modules.notifications.receivers.table import TABLE
from modules.sessions.events import WaitingSession

HEADER = ["| what happens | who is told | kind | mailed by default | title |", "| --- | --- | --- | --- | --- |"]

START = datetime(2030, 5, 4, 18, tzinfo=UTC)
# Has the fields of all facts that texts read.
SAMPLE = SimpleNamespace(
    title="{title}",
    creator_id=1,
    date=START,
    why="undecided",
    is_reason_told=True,
    minutes_before=60,
    minutes_left=60,
    undecided=2,
    waiting=2,
    own={},
    sessions=[WaitingSession(session_id=1, title="{title}", creator_id=1, date=START, urgent=False)],
)
PEOPLE = People(title="{title}", creator_id=1, participant_ids=())
READER = SimpleNamespace(pk=2, timezone="UTC")


def render_table() -> str:
    """Render a line for each fact that members are notified of."""
    return "\n".join([*HEADER, *(_render_row(rule) for rule in TABLE)])


def _render_row(rule: Rule) -> str:
    audience = ", ".join(audience.label for audience in rule.audiences)
    text = rule.text(News(fact=SAMPLE, reason="", people=PEOPLE, reader=READER, mentioned="{member}"))
    title = "" if text is None else text.title
    return f"| {rule.fact.__name__} | {audience} | `{rule.kind.value}` | {_describe_mail(rule)} | {title} |"


def _describe_mail(rule: Rule) -> str:
    if not get_default_channels(rule.kind).mail:
        return "no"
    if rule.kind in MAILED_AT_ONCE:
        return "at once"
    return (
        "after the delay" if rule.is_mailed_at_once is None else "after the delay; at once within an hour of the start"
    )
