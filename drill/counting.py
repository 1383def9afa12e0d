"""All counts of a drill in one table: figures, which may be any number, and violations, which have to be zero."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from drill.calendar_files import count_calendar_files
from drill.digests import count_digests
from drill.history import History, build_histories
from drill.mails import MailCounts, count_mails, is_waiting
from drill.notifications import NotificationCounts, count_notifications
from drill.nudges import NudgeCounts, count_nudges
from drill.records import Records
from drill.reminders import ReminderCounts, count_reminders
from drill.session_states import StateCounts, count_states


@dataclass
class Counts:
    """`figures` say how much happened; `violations` has, by its counter, a description of each."""

    figures: dict[str, str] = field(default_factory=dict)
    violations: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        return not any(self.violations.values())


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """The counts of each area."""

    digests: list[str]
    calendar_files: list[str]
    reminders: ReminderCounts
    nudges: NudgeCounts
    states: StateCounts
    notifications: NotificationCounts
    mails: MailCounts


def count(records: Records) -> Counts:
    """Count figures and violations, from the records alone."""
    histories = build_histories(records)
    parts = _Parts(
        digests=count_digests(records, histories),
        calendar_files=count_calendar_files(records, histories),
        reminders=count_reminders(records, histories),
        nudges=count_nudges(records, histories),
        states=count_states(records, histories),
        notifications=count_notifications(records, histories),
        mails=count_mails(records, histories),
    )
    return Counts(
        figures=_build_figures(records, histories, parts),
        violations={
            **_list_reminder_violations(parts),
            **_list_state_violations(records, parts.states),
            **_list_mail_violations(parts),
            "rows stuck": _find_stuck_rows(records),
            "processes crashed": list(records.died),
        },
    )


def _build_figures(records: Records, histories: dict[int, History], parts: _Parts) -> dict[str, str]:
    done = Counter(action.name for action in records.actions if action.outcome == "done")
    return {
        "workers killed": str(len(records.kills)),
        "mail server outages": str(records.outages),
        "mails refused temporarily": str(records.refusals),
        "mail server hang-ups": str(records.hang_ups),
        "failed deliveries": str(len(records.failed_deliveries)),
        "sessions": str(len(histories)),
        **{f"members: {action.replace('_', ' ')}": str(times) for action, times in sorted(done.items())},
        "members: refused": str(sum(action.outcome == "refused" for action in records.actions)),
        "reminders due": str(len(parts.reminders.due)),
        "reminders sent": str(parts.reminders.sent),
        "latest reminder": _format_delay(parts.reminders.latest, records.rate),
        "latest transition by time": _format_delay(parts.states.latest, records.rate),
        "nudges due": str(parts.nudges.due),
        "digests sent": str(sum(fact.name == "SessionsWaiting" for fact in records.facts)),
        "notifications due": str(parts.notifications.due),
        "mails arrived": str(parts.mails.arrived),
        "calendar files": str(sum(len(arrival.calendars) for arrival in records.arrivals)),
        "mails sent": str(parts.mails.sent),
        "mails dropped": str(parts.mails.dropped),
        "mails superseded": str(parts.mails.superseded),
        "mails rightly repeated": str(parts.mails.explained_repetitions),
    }


def _list_reminder_violations(parts: _Parts) -> dict[str, list[str]]:
    return {
        "reminders missing": parts.reminders.missing,
        "reminders doubled": parts.reminders.doubled,
        "reminders after a change": parts.reminders.after_a_change,
        "reminders after the start": parts.reminders.after_the_start,
        "reminders to non-participants": parts.reminders.to_non_participants,
        "reminders outside their window": parts.reminders.outside_window,
        "nudges wrong": parts.nudges.wrong,
        "digests wrong": parts.digests,
    }


def _list_state_violations(records: Records, states: StateCounts) -> dict[str, list[str]]:
    return {
        "sessions wrong": states.wrong,
        "transitions late": states.late,
        "transitions early": states.early,
        "stored values wrong": records.mismatches,
        "requests wrong": states.requests_wrong,
        "requests left pending": states.requests_pending,
        "facts impossible": states.impossible,
        "actions without a fact": states.actions_without_fact,
        "actions crashed": states.actions_crashed,
    }


def _list_mail_violations(parts: _Parts) -> dict[str, list[str]]:
    return {
        "notifications missing": parts.notifications.missing,
        "notifications unexpected": parts.notifications.unexpected,
        "mails lost": parts.mails.lost,
        "mails repeated": parts.mails.repeated,
        "mails repeating news": parts.mails.repeated_news,
        "mails with unknown news": parts.mails.contents.unknown,
        "mails against preferences": parts.mails.contents.unwanted,
        "mails stale": parts.mails.contents.stale,
        "calendar files wrong": parts.calendar_files,
        "mails not in the delivery log": parts.mails.unknown,
    }


def _find_stuck_rows(records: Records) -> list[str]:
    """Describe work that is still due or waiting when the drill has ended."""
    return [
        *(
            f"mail {mail.id} is {mail.status}, next tried {mail.next_try_at}"
            for mail in records.mails
            if is_waiting(mail)
        ),
        *(
            f"session {row.id} is due since {due_at}"
            for row in records.sessions
            for due_at in row.due_at
            if due_at <= records.ended_at - records.slack
        ),
        *(
            f"{failed.receiver} of fact {failed.fact_id}"
            for failed in records.failed_deliveries
            if not failed.delivered
        ),
        *(f"periodic job: {name}" for name in records.late_jobs),
    ]


def _format_delay(delay: timedelta, rate: float) -> str:
    seconds = delay.total_seconds()
    return f"{seconds:.0f} s late ({seconds / rate:.1f} s in real time)"
