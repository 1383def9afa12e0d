"""Faults in reminders, digests, sessions, booking requests, facts and notifications."""

from datetime import datetime, timedelta

from tests.system.drill.faults import found_by
from tests.system.drill.finder import Finder, build_action

from drill.records import Records


@found_by("reminders missing")
def no_notification_for_a_reminder(records: Records) -> None:
    records.notifications.remove(Finder(records).take_due_reminder())


@found_by("reminders doubled")
def a_second_notification_for_a_reminder(records: Records) -> None:
    notification = Finder(records).take_due_reminder()
    records.notifications.append(
        notification.model_copy(update={"id": notification.id + 10**6, "fact_id": notification.fact_id})
    )


@found_by("reminders after a change")
def a_reminder_of_a_session_that_was_cancelled(records: Records) -> None:
    finder = Finder(records)
    history = next(
        history
        for history in finder.histories.values()
        if history.status == "cancelled"
        and history.opened
        and not any(published.fact.name == "ReminderDue" for published in history.facts)
    )
    fact = finder.add_fact(
        "ReminderDue", history.session_id, date=history.date.isoformat(), minutes_before=min(records.offsets)
    )
    fact.at = history.facts[-1].fact.at
    finder.remove_mails_to(history.creator_id)
    finder.add_notification(fact, history.creator_id)


@found_by("reminders after a change")
def a_reminder_of_a_start_that_was_moved(records: Records) -> None:
    finder = Finder(records)
    notification = finder.take_due_reminder()
    fact = finder.facts[notification.fact_id]
    moved = (records.ended_at + timedelta(days=1)).isoformat()
    minutes = fact.payload["minutes_before"]
    other = finder.add_fact("ReminderDue", fact.session_id or 0, date=moved, minutes_before=minutes)
    finder.add_notification(other, notification.user_id)


@found_by("reminders after the start")
def a_reminder_after_the_start(records: Records) -> None:
    finder = Finder(records)
    notification = finder.take_due_reminder()
    start = datetime.fromisoformat(finder.facts[notification.fact_id].payload["date"])
    notification.at = start + records.slack + timedelta(seconds=1)


@found_by("reminders to non-participants")
def a_reminder_to_a_member_who_does_not_take_part(records: Records) -> None:
    finder = Finder(records)
    fact = finder.facts[finder.take_due_reminder().fact_id]
    history = finder.histories[fact.session_id or 0]
    outsider = next(
        member for member in records.addresses if member not in history.seats and member != history.creator_id
    )
    finder.remove_mails_to(outsider)
    finder.add_notification(fact, outsider)


@found_by("reminders outside their window")
def a_reminder_before_it_was_due(records: Records) -> None:
    finder = Finder(records)
    fact = finder.facts[finder.take_due_reminder().fact_id]
    fact.at -= timedelta(minutes=max(records.offsets))


@found_by("nudges wrong")
def a_nudge_without_pending_requests(records: Records) -> None:
    finder = Finder(records)
    history = finder.histories[finder.find_session("ongoing")]
    fact = finder.add_fact("RequestsUndecided", history.session_id, date=history.date.isoformat(), undecided=1)
    finder.remove_mails_to(history.creator_id)
    finder.add_notification(fact, history.creator_id)


@found_by("digests wrong")
def a_second_digest_within_the_hour(records: Records) -> None:
    digest = next(fact for fact in records.facts if fact.name == "SessionsWaiting")
    sent = [notification for notification in records.notifications if notification.fact_id == digest.id]
    again = max(fact.id for fact in records.facts) + 1
    records.facts.append(digest.model_copy(update={"id": again, "at": digest.at + timedelta(minutes=1)}))
    records.notifications += [
        notification.model_copy(update={"id": notification.id + 10**6, "fact_id": again}) for notification in sent
    ]


@found_by("digests wrong")
def no_digest_although_sessions_wait(records: Records) -> None:
    digests = {fact.id for fact in records.facts if fact.name == "SessionsWaiting"}
    records.facts = [fact for fact in records.facts if fact.id not in digests]
    records.notifications = [
        notification for notification in records.notifications if notification.fact_id not in digests
    ]
    Finder(records).remove_mails(lambda mail: mail.topic == "moderation")


@found_by("digests wrong")
def a_digest_that_names_a_session_which_was_not_offered_yet(records: Records) -> None:
    finder = Finder(records)
    finder.remove_mails_to(*records.moderators)
    digest = next(fact for fact in records.facts if fact.name == "SessionsWaiting")
    last = max(finder.histories.values(), key=lambda history: history.facts[0].fact.at)
    digest.payload["sessions"].append({"session_id": last.session_id, "creator_id": last.creator_id})


@found_by("sessions wrong")
def an_open_session_that_has_started(records: Records) -> None:
    session = Finder(records).find_session("ongoing")
    next(row for row in records.sessions if row.id == session).status = "scheduled"


@found_by("sessions wrong")
def a_participant_count_that_is_too_low(records: Records) -> None:
    session = Finder(records).find_session("ongoing")
    next(row for row in records.sessions if row.id == session).participant_count -= 1


@found_by("transitions late")
def a_due_transition_that_did_not_happen(records: Records) -> None:
    finder = Finder(records)
    forgotten = next(
        notification
        for notification in records.notifications
        if finder.get_fact_name(notification) == "SessionExpired"
        and not finder.facts[notification.fact_id].payload["requester_ids"]
    )
    expiry = finder.facts[forgotten.fact_id]
    before = "approved" if expiry.payload["why"] == "nobody_in" else "pending_approval"
    history = finder.histories[expiry.session_id or 0]
    if any(published.fact.name == "SessionScheduled" for published in history.facts):
        before = "scheduled"
    # What was dropped because the session had expired, or waited no longer, would be missed now.
    finder.remove_mails_to(*records.addresses)
    records.notifications.remove(forgotten)
    records.facts.remove(expiry)
    next(row for row in records.sessions if row.id == expiry.session_id).status = before


@found_by("transitions early")
def a_session_that_started_before_its_time(records: Records) -> None:
    finder = Finder(records)
    finder.remove_mails_to(*records.addresses)
    start = next(fact for fact in records.facts if fact.name == "SessionStarted" and fact.actor_id is None)
    start.at = finder.histories[start.session_id or 0].date - timedelta(seconds=1)


@found_by("requests wrong")
def a_participant_whose_request_is_rejected(records: Records) -> None:
    next(row for row in records.requests if row.status == "approved").status = "rejected"


@found_by("requests left pending")
def a_pending_request_after_the_start(records: Records) -> None:
    finder = Finder(records)
    begun = {session for session, history in finder.histories.items() if history.status in ("ongoing", "expired")}
    next(row for row in records.requests if row.status == "rejected" and row.session_id in begun).status = "pending"


@found_by("facts impossible")
def a_request_that_is_approved_twice(records: Records) -> None:
    finder = Finder(records)
    history = next(
        history for history in finder.histories.values() if history.status == "ongoing" and history.participants
    )
    member = min(history.participants)
    finder.remove_mails_to(member)
    finder.add_notification(finder.add_fact("BookingRequestApproved", history.session_id, member_id=member), member)


@found_by("actions without a fact")
def an_action_without_a_fact(records: Records) -> None:
    done = next(action for action in records.actions if action.name == "request_booking" and action.outcome == "done")
    records.actions.append(done.model_copy())


@found_by("facts impossible")
def a_fact_without_an_action(records: Records) -> None:
    records.actions.remove(
        next(action for action in records.actions if action.name == "request_booking" and action.outcome == "done")
    )


@found_by("actions crashed")
def an_action_that_crashed(records: Records) -> None:
    records.actions.append(build_action(records, "request_booking", actor_id=1, outcome="crashed"))


@found_by("notifications missing")
def a_notification_too_few(records: Records) -> None:
    records.notifications.remove(Finder(records).take_other_notification())


@found_by("notifications unexpected")
def a_notification_too_many(records: Records) -> None:
    notification = Finder(records).take_other_notification()
    records.notifications.append(notification.model_copy(update={"id": notification.id + 10**6}))


@found_by("notifications unexpected")
def a_notification_outside_the_audience(records: Records) -> None:
    finder = Finder(records)
    notification = finder.take_other_notification()
    other = next(member for member in records.addresses if member != notification.user_id)
    finder.remove_mails_to(other)
    finder.add_notification(finder.facts[notification.fact_id], other)


@found_by("stored values wrong")
def a_seat_that_is_counted_without_a_participant(records: Records) -> None:
    records.mismatches.append("session 1: participant_count is 2, expected 1")
