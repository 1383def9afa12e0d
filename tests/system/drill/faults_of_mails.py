"""Faults in mails, their calendar files and what is left in hand."""

import re
from datetime import timedelta

from tests.system.drill.faults import found_by
from tests.system.drill.finder import Finder, add_line, build_action, find_last_acknowledged, repeat_in_another_mail

from drill.mail_preferences import KIND_OF
from drill.mailbox import MAX_SECONDS_SINCE_RENDERING
from drill.records import FailedDelivery, Records


@found_by("mails lost")
def a_mail_that_is_logged_as_sent_and_never_arrived(records: Records) -> None:
    lost = records.arrivals[0].message_id
    records.arrivals = [arrival for arrival in records.arrivals if arrival.message_id != lost]


@found_by("mails lost")
def a_notification_that_is_to_be_mailed_and_has_no_mail(records: Records) -> None:
    Finder(records).find_mailed(*KIND_OF).mail_id = None


@found_by("mails lost")
def no_mails_with_news(records: Records) -> None:
    for notification in records.notifications:
        notification.by_mail, notification.mail_id = False, None
    Finder(records).remove_mails(lambda mail: mail.kind == "news")


@found_by("mails lost")
def a_mail_that_was_dropped_with_news_that_still_holds(records: Records) -> None:
    finder = Finder(records)
    cancelled = finder.find_mailed("SessionCancelled")
    mail = finder.mails[cancelled.mail_id or 0]
    mail.status = "dropped"
    records.arrivals = [arrival for arrival in records.arrivals if arrival.message_id != mail.message_id]


@found_by("mails lost")
def a_mail_without_its_news(records: Records) -> None:
    finder = Finder(records)
    cancelled = finder.find_mailed("SessionCancelled")
    message_id = finder.mails[cancelled.mail_id or 0].message_id
    for arrival in records.arrivals:
        if arrival.message_id == message_id:
            arrival.text = "Hello there."


@found_by("mails lost")
def a_mail_that_was_given_up(records: Records) -> None:
    mail = next(mail for mail in records.mails if mail.kind == "welcome")
    mail.status = "failed"
    records.arrivals = [arrival for arrival in records.arrivals if arrival.message_id != mail.message_id]


@found_by("mails lost")
def a_member_without_a_welcome(records: Records) -> None:
    mail = next(mail for mail in records.mails if mail.kind == "welcome")
    records.mails.remove(mail)
    records.arrivals = [arrival for arrival in records.arrivals if arrival.message_id != mail.message_id]


@found_by("mails repeated")
def a_mail_that_is_repeated_without_a_kill(records: Records) -> None:
    arrival = find_last_acknowledged(records)
    records.kills = [kill for kill in records.kills if kill < arrival.at - records.slack]
    records.arrivals.append(arrival.model_copy())


@found_by("mails repeated")
def more_repetitions_than_kills(records: Records) -> None:
    first = {arrival.message_id: arrival for arrival in reversed(records.arrivals) if arrival.acknowledged}
    for arrival in list(first.values())[: len(records.kills) + 1]:
        records.arrivals.append(arrival.model_copy(update={"at": records.ended_at}))


@found_by("mails repeating news")
def news_that_is_repeated_in_another_mail(records: Records) -> None:
    finder = Finder(records)
    arrival = next(
        news.arrival
        for news in finder.list_news_mails()
        if news.arrival.acknowledged and any(len(line.notifications) == 1 for line in news.lines)
    )
    records.kills = [kill for kill in records.kills if kill < arrival.at - records.slack]
    repeat_in_another_mail(records, arrival)


@found_by("mails with unknown news")
def a_line_of_somebody_elses_news(records: Records) -> None:
    news = list(Finder(records).list_news_mails())
    own = [(each.person, line.text) for each in news for line in each.lines]
    theirs = next(words for person, words in own if (news[0].person, words) not in own)
    add_line(news[0].arrival, theirs)


@found_by("mails with unknown news")
def a_reminder_with_too_many_minutes_left(records: Records) -> None:
    finder = Finder(records)
    arrival = next(news.arrival for news in finder.list_news_mails() if "ReminderDue" in finder.list_fact_names(news))
    arrival.text = re.sub(r"starts in .+\.", "starts in 55 minutes.", arrival.text)


@found_by("mails against preferences")
def a_mail_of_a_kind_that_its_reader_does_not_want(records: Records) -> None:
    notification = Finder(records).find_mailed("BookingRequestApproved")
    records.actions.append(
        build_action(records, "set_preferences", actor_id=notification.user_id, preferences={"booking_decision": False})
    )


@found_by("mails stale")
def a_decided_request_that_was_mailed(records: Records) -> None:
    news, line = Finder(records).find_unsent_stale_line()
    add_line(news.arrival, line)


@found_by("calendar files wrong")
def a_cancellation_for_a_participant(records: Records) -> None:
    file = Finder(records).find_invitation().arrival.calendars[0]
    file.method, file.content = "CANCEL", file.content.replace("METHOD:REQUEST", "METHOD:CANCEL")


@found_by("calendar files wrong")
def a_file_with_another_method_than_its_part(records: Records) -> None:
    Finder(records).find_invitation().arrival.calendars[0].method = "PUBLISH"


@found_by("calendar files wrong")
def the_uid_of_another_session(records: Records) -> None:
    finder = Finder(records)
    invitation = finder.find_invitation()
    file = invitation.arrival.calendars[0]
    other = next(news for news in finder.list_news_mails() if news.arrival.calendars and news.topic != invitation.topic)
    uid = re.search(r"(?m)^UID:.*$", other.arrival.calendars[0].content)
    assert uid
    file.content = re.sub(r"(?m)^UID:.*$", uid[0], file.content)


@found_by("calendar files wrong")
def a_sequence_that_decreases_when_a_mail_is_repeated(records: Records) -> None:
    invitation = Finder(records).find_invitation()
    arrival = invitation.arrival
    arrival.acknowledged = False
    at = arrival.at + MAX_SECONDS_SINCE_RENDERING * records.slack
    again = arrival.model_copy(deep=True, update={"at": at, "begun_at": at, "acknowledged": True})
    records.arrivals.append(again)
    arrival.calendars[0].content = re.sub(r"SEQUENCE:\d+", "SEQUENCE:99", arrival.calendars[0].content)


@found_by("calendar files wrong")
def a_file_with_somebody_elses_address(records: Records) -> None:
    file = Finder(records).find_invitation().arrival.calendars[0]
    unfolded = file.content.replace("\r\n ", "")
    file.content = re.sub(r"(ATTENDEE.*mailto:)\S+", r"\1somebody.else@example.com", unfolded)


@found_by("calendar files wrong")
def an_approval_without_a_file(records: Records) -> None:
    finder = Finder(records)
    next(
        news for news in finder.list_news_mails() if "SessionApproved" in finder.list_fact_names(news)
    ).arrival.calendars = []


@found_by("calendar files wrong")
def a_file_for_a_member_who_never_took_part(records: Records) -> None:
    finder = Finder(records)
    file = finder.find_invitation().arrival.calendars[0]
    refused = next(
        news
        for news in finder.list_news_mails()
        if finder.list_fact_names(news) == {"SessionExpired"}
        and news.person not in finder.histories[int(news.topic.partition(":")[2])].seats
        and not news.arrival.calendars
    )
    refused.arrival.calendars.append(file)


@found_by("mails not in the delivery log")
def a_mail_that_is_not_in_the_delivery_log(records: Records) -> None:
    records.arrivals.append(records.arrivals[0].model_copy(update={"message_id": "<stranger@localhost>"}))


@found_by("mails not in the delivery log")
def a_mail_to_another_address(records: Records) -> None:
    records.arrivals[0].to = ["somebody.else@example.com"]


@found_by("rows stuck")
def a_mail_that_is_still_claimed(records: Records) -> None:
    mail = next(mail for mail in records.mails if mail.status == "sent")
    mail.status, mail.next_try_at = "sending", records.ended_at


@found_by("rows stuck")
def a_due_session_that_no_job_handles(records: Records) -> None:
    records.sessions[0].due_at.append(records.ended_at - timedelta(minutes=5))


@found_by("rows stuck")
def a_failed_delivery_that_was_never_retried(records: Records) -> None:
    records.failed_deliveries.append(
        FailedDelivery(fact_id=records.facts[0].id, receiver="modules.notifications.receivers.remind", delivered=False)
    )


@found_by("rows stuck")
def a_periodic_job_that_is_late(records: Records) -> None:
    records.late_jobs.append("send mail that is due")


@found_by("processes crashed")
def a_worker_that_ended_by_itself(records: Records) -> None:
    records.died.append("worker, with status 1")
