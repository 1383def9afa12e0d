"""Faults in reminders, digests, sessions, booking requests, facts and notifications."""

from datetime import datetime, timedelta

from tests.system.drill.faults import noticed_as
from tests.system.drill.finder import Finder, deed

from drill.history import slack_of
from drill.records import Records


@noticed_as("reminders missing")
def no_notification_for_a_reminder(records: Records) -> None:
    records.notices.remove(Finder(records).due_reminder())


@noticed_as("reminders doubled")
def a_second_notification_for_a_reminder(records: Records) -> None:
    notice = Finder(records).due_reminder()
    records.notices.append(notice.model_copy(update={"id": notice.id + 10**6, "fact_id": notice.fact_id}))


@noticed_as("reminders after a change")
def a_reminder_of_a_session_that_was_cancelled(records: Records) -> None:
    finder = Finder(records)
    history = next(
        history
        for history in finder.histories.values()
        if history.status == "cancelled"
        and history.opened
        and not any(told.fact.name == "ReminderDue" for told in history.told)
    )
    fact = finder.add_fact(
        "ReminderDue", history.session_id, date=history.date.isoformat(), minutes_before=min(records.offsets)
    )
    fact.at = history.told[-1].fact.at
    finder.silence(history.creator_id)
    finder.add_notice(fact, history.creator_id)


@noticed_as("reminders after a change")
def a_reminder_of_a_start_that_was_moved(records: Records) -> None:
    finder = Finder(records)
    notice = finder.due_reminder()
    fact = finder.facts[notice.fact_id]
    moved = (records.ended_at + timedelta(days=1)).isoformat()
    minutes = fact.payload["minutes_before"]
    other = finder.add_fact("ReminderDue", fact.session_id or 0, date=moved, minutes_before=minutes)
    finder.add_notice(other, notice.user_id)


@noticed_as("reminders after the start")
def a_reminder_that_came_when_it_had_begun(records: Records) -> None:
    finder = Finder(records)
    notice = finder.due_reminder()
    start = datetime.fromisoformat(finder.facts[notice.fact_id].payload["date"])
    notice.at = start + slack_of(records) + timedelta(seconds=1)


@noticed_as("reminders to outsiders")
def a_reminder_to_somebody_who_was_not_in(records: Records) -> None:
    finder = Finder(records)
    fact = finder.facts[finder.due_reminder().fact_id]
    history = finder.histories[fact.session_id or 0]
    outsider = next(
        member for member in records.addresses if member not in history.seats and member != history.creator_id
    )
    finder.silence(outsider)
    finder.add_notice(fact, outsider)


@noticed_as("reminders out of time")
def a_reminder_before_it_was_due(records: Records) -> None:
    finder = Finder(records)
    fact = finder.facts[finder.due_reminder().fact_id]
    fact.at -= timedelta(minutes=max(records.offsets))


@noticed_as("nudges wrong")
def a_nudge_where_nobody_waits(records: Records) -> None:
    finder = Finder(records)
    history = finder.histories[finder.session("ongoing")]
    fact = finder.add_fact("RequestsUndecided", history.session_id, date=history.date.isoformat(), undecided=1)
    finder.silence(history.creator_id)
    finder.add_notice(fact, history.creator_id)


@noticed_as("digests wrong")
def a_second_digest_within_the_hour(records: Records) -> None:
    digest = next(fact for fact in records.facts if fact.name == "SessionsWaiting")
    told = [notice for notice in records.notices if notice.fact_id == digest.id]
    again = max(fact.id for fact in records.facts) + 1
    records.facts.append(digest.model_copy(update={"id": again, "at": digest.at + timedelta(minutes=1)}))
    records.notices += [notice.model_copy(update={"id": notice.id + 10**6, "fact_id": again}) for notice in told]


@noticed_as("digests wrong")
def no_digest_though_sessions_wait(records: Records) -> None:
    digests = {fact.id for fact in records.facts if fact.name == "SessionsWaiting"}
    records.facts = [fact for fact in records.facts if fact.id not in digests]
    records.notices = [notice for notice in records.notices if notice.fact_id not in digests]
    Finder(records).forget_mails(lambda mail: mail.topic == "moderation")


@noticed_as("digests wrong")
def a_digest_that_names_a_session_which_was_not_offered_yet(records: Records) -> None:
    finder = Finder(records)
    finder.silence(*records.moderators)
    digest = next(fact for fact in records.facts if fact.name == "SessionsWaiting")
    last = max(finder.histories.values(), key=lambda history: history.told[0].fact.at)
    digest.payload["sessions"].append({"session_id": last.session_id, "creator_id": last.creator_id})


@noticed_as("states wrong")
def a_session_that_is_open_though_it_has_begun(records: Records) -> None:
    session = Finder(records).session("ongoing")
    next(row for row in records.sessions if row.id == session).status = "scheduled"


@noticed_as("states wrong")
def a_place_too_few(records: Records) -> None:
    session = Finder(records).session("ongoing")
    next(row for row in records.sessions if row.id == session).participant_count -= 1


@noticed_as("states late")
def a_session_that_the_clock_forgot(records: Records) -> None:
    finder = Finder(records)
    forgotten = next(
        notice
        for notice in records.notices
        if finder.name(notice) == "SessionExpired" and not finder.facts[notice.fact_id].payload["requester_ids"]
    )
    expiry = finder.facts[forgotten.fact_id]
    before = "approved" if expiry.payload["why"] == "nobody_in" else "pending_approval"
    history = finder.histories[expiry.session_id or 0]
    if any(told.fact.name == "SessionScheduled" for told in history.told):
        before = "scheduled"
    # What was dropped because the session had expired, or waited no longer, would be missed now.
    finder.silence(*records.addresses)
    records.notices.remove(forgotten)
    records.facts.remove(expiry)
    next(row for row in records.sessions if row.id == expiry.session_id).status = before


@noticed_as("states early")
def a_session_that_the_clock_began_too_early(records: Records) -> None:
    finder = Finder(records)
    finder.silence(*records.addresses)
    start = next(fact for fact in records.facts if fact.name == "SessionStarted" and fact.actor_id is None)
    start.at = finder.histories[start.session_id or 0].date - timedelta(seconds=1)


@noticed_as("requests wrong")
def a_participant_whose_request_is_rejected(records: Records) -> None:
    next(row for row in records.requests if row.status == "approved").status = "rejected"


@noticed_as("requests left undecided")
def a_request_that_waits_though_it_has_begun(records: Records) -> None:
    finder = Finder(records)
    begun = {session for session, history in finder.histories.items() if history.status in ("ongoing", "expired")}
    next(row for row in records.requests if row.status == "rejected" and row.session_id in begun).status = "pending"


@noticed_as("facts impossible")
def somebody_who_is_let_in_twice(records: Records) -> None:
    finder = Finder(records)
    history = next(
        history for history in finder.histories.values() if history.status == "ongoing" and history.participants
    )
    member = min(history.participants)
    finder.silence(member)
    finder.add_notice(finder.add_fact("BookingRequestApproved", history.session_id, member_id=member), member)


@noticed_as("deeds lost")
def a_deed_without_a_fact(records: Records) -> None:
    done = next(deed for deed in records.deeds if deed.action == "ask" and deed.outcome == "done")
    records.deeds.append(done.model_copy())


@noticed_as("facts impossible")
def a_fact_without_a_deed(records: Records) -> None:
    records.deeds.remove(next(deed for deed in records.deeds if deed.action == "ask" and deed.outcome == "done"))


@noticed_as("deeds broken")
def a_deed_that_ended_in_an_error(records: Records) -> None:
    records.deeds.append(deed(records, "ask", by_id=1, outcome="broke"))


@noticed_as("notifications missing")
def a_notification_too_few(records: Records) -> None:
    records.notices.remove(Finder(records).other())


@noticed_as("notifications surplus")
def a_notification_too_many(records: Records) -> None:
    notice = Finder(records).other()
    records.notices.append(notice.model_copy(update={"id": notice.id + 10**6}))


@noticed_as("notifications surplus")
def a_notification_to_somebody_whom_it_does_not_concern(records: Records) -> None:
    finder = Finder(records)
    told = finder.other()
    other = next(member for member in records.addresses if member != told.user_id)
    finder.silence(other)
    finder.add_notice(finder.facts[told.fact_id], other)


@noticed_as("counters wrong")
def a_seat_that_is_counted_without_a_participant(records: Records) -> None:
    records.mismatches.append("session 1: participant_count is 2, expected 1")
