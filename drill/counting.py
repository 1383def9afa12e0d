"""Everything that is counted, in one table: what may be any number, and what has to be zero."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from drill.calendar_files import count_calendar_files
from drill.decision_reminders import count_decision_reminders
from drill.digests import count_digests
from drill.history import histories_of
from drill.mails import count_mails, is_waiting
from drill.notifications import count_notices
from drill.records import Records
from drill.reminders import count_reminders
from drill.session_states import count_states


@dataclass
class Counts:
    """`figures` say how much of a drill it was; `bad` has each promise that was broken, in words, by its counter."""

    figures: dict[str, str] = field(default_factory=dict)
    bad: dict[str, list[str]] = field(default_factory=dict)

    @property
    def numbers(self) -> dict[str, int]:
        return {name: len(found) for name, found in self.bad.items()}

    @property
    def is_clean(self) -> bool:
        return not any(self.bad.values())


def count(records: Records) -> Counts:
    """Count it all. Depends on nothing but the records."""
    histories = histories_of(records)
    reminders = count_reminders(records, histories)
    decision_reminders = count_decision_reminders(records, histories)
    states = count_states(records, histories)
    notices = count_notices(records, histories)
    mails = count_mails(records, histories)
    done = Counter(deed.action for deed in records.deeds if deed.outcome == "done")
    return Counts(
        figures={
            "workers killed": str(len(records.kills)),
            "mail server away": str(records.outages),
            "mails refused for now": str(records.refusals),
            "mail server hung up": str(records.hang_ups),
            "receivers that failed": str(len(records.failed_deliveries)),
            "sessions": str(len(histories)),
            **{f"members: {action.replace('_', ' ')}": str(times) for action, times in sorted(done.items())},
            "members: refused": str(sum(deed.outcome == "refused" for deed in records.deeds)),
            "reminders due": str(len(reminders.due)),
            "reminders sent": str(reminders.sent),
            "latest reminder": _late(reminders.latest, records.rate),
            "latest move by the clock": _late(states.latest, records.rate),
            "nudges due": str(decision_reminders.due),
            "digests sent": str(sum(fact.name == "SessionsWaiting" for fact in records.facts)),
            "notifications due": str(notices.due),
            "mails that arrived": str(mails.arrived),
            "calendar files": str(sum(len(arrival.calendars) for arrival in records.arrivals)),
            "mails sent": str(mails.sent),
            "mails dropped": str(mails.dropped),
            "mails superseded": str(mails.superseded),
            "mails repeated rightly": str(mails.repeated_rightly),
        },
        bad={
            "reminders missing": reminders.missing,
            "reminders doubled": reminders.doubled,
            "reminders after a change": reminders.after_a_change,
            "reminders after the start": reminders.after_the_start,
            "reminders to outsiders": reminders.to_outsiders,
            "reminders out of time": reminders.out_of_time,
            "nudges wrong": decision_reminders.wrong,
            "digests wrong": count_digests(records, histories),
            "states wrong": states.wrong,
            "states late": states.late,
            "states early": states.early,
            "counters wrong": records.mismatches,
            "requests wrong": states.requests_wrong,
            "requests left undecided": states.requests_left,
            "facts impossible": states.impossible,
            "deeds lost": states.deeds_lost,
            "deeds broken": states.deeds_broken,
            "notifications missing": notices.missing,
            "notifications surplus": notices.surplus,
            "mails lost": mails.lost,
            "mails repeated": mails.repeated,
            "mails telling it again": mails.told_again,
            "mails untrue": mails.said.untrue,
            "mails unwanted": mails.said.unwanted,
            "mails stale": mails.said.stale,
            "calendar files wrong": count_calendar_files(records, histories),
            "mails unaccounted for": mails.unaccounted,
            "rows standing still": _standing_still(records),
            "processes that died": list(records.died),
        },
    )


def _standing_still(records: Records) -> list[str]:
    """Work that nobody does: what is due or waits though all had the time to settle."""
    slack = timedelta(seconds=records.rate)
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
            if due_at <= records.ended_at - slack
        ),
        *(f"{each.receiver} of fact {each.fact_id}" for each in records.failed_deliveries if not each.delivered),
        *(f"sweep: {name}" for name in records.late_sweeps),
    ]


def _late(delay: timedelta, rate: float) -> str:
    seconds = delay.total_seconds()
    return f"{seconds:.0f} s late ({seconds / rate:.1f} s of a real clock)"
