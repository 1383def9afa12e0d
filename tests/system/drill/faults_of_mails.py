"""Faults in mails, their calendar files and what is left in hand."""

import re
from datetime import timedelta

from tests.system.drill.faults import noticed_as
from tests.system.drill.finder import Finder, again_in_another_mail, deed, last_answered, say_more

from drill.history import slack_of
from drill.mail_preferences import KIND_OF
from drill.mailbox import WRITTEN_WITHIN
from drill.records import FailedDelivery, Records


@noticed_as("mails lost")
def a_mail_that_was_noted_as_sent_and_never_arrived(records: Records) -> None:
    lost = records.arrivals[0].message_id
    records.arrivals = [arrival for arrival in records.arrivals if arrival.message_id != lost]


@noticed_as("mails lost")
def a_notification_that_says_mail_and_has_none(records: Records) -> None:
    Finder(records).mailed(*KIND_OF).mail_id = None


@noticed_as("mails lost")
def no_news_mailed_and_none_that_is_said_to_be(records: Records) -> None:
    for notice in records.notices:
        notice.by_mail, notice.mail_id = False, None
    Finder(records).forget_mails(lambda mail: mail.kind == "news")


@noticed_as("mails lost")
def a_mail_that_was_dropped_with_news_that_still_holds(records: Records) -> None:
    finder = Finder(records)
    cancelled = finder.mailed("SessionCancelled")
    mail = finder.mails[cancelled.mail_id or 0]
    mail.status = "dropped"
    records.arrivals = [arrival for arrival in records.arrivals if arrival.message_id != mail.message_id]


@noticed_as("mails lost")
def a_mail_that_says_nothing_of_its_news(records: Records) -> None:
    finder = Finder(records)
    cancelled = finder.mailed("SessionCancelled")
    message_id = finder.mails[cancelled.mail_id or 0].message_id
    for arrival in records.arrivals:
        if arrival.message_id == message_id:
            arrival.text = "Hello there."


@noticed_as("mails lost")
def a_mail_that_was_given_up(records: Records) -> None:
    mail = next(mail for mail in records.mails if mail.kind == "welcome")
    mail.status = "failed"
    records.arrivals = [arrival for arrival in records.arrivals if arrival.message_id != mail.message_id]


@noticed_as("mails lost")
def a_member_whom_nobody_welcomed(records: Records) -> None:
    mail = next(mail for mail in records.mails if mail.kind == "welcome")
    records.mails.remove(mail)
    records.arrivals = [arrival for arrival in records.arrivals if arrival.message_id != mail.message_id]


@noticed_as("mails repeated")
def a_mail_that_came_again_without_a_kill(records: Records) -> None:
    arrival = last_answered(records)
    records.kills = [kill for kill in records.kills if kill < arrival.at - slack_of(records)]
    records.arrivals.append(arrival.model_copy())


@noticed_as("mails repeated")
def more_repetitions_than_kills(records: Records) -> None:
    first = {arrival.message_id: arrival for arrival in reversed(records.arrivals) if arrival.answered}
    for arrival in list(first.values())[: len(records.kills) + 1]:
        records.arrivals.append(arrival.model_copy(update={"at": records.ended_at}))


@noticed_as("mails telling it again")
def news_that_came_again_in_another_mail(records: Records) -> None:
    finder = Finder(records)
    arrival = next(
        news.arrival
        for news in finder.news()
        if news.arrival.answered and any(len(line.notices) == 1 for line in news.lines)
    )
    records.kills = [kill for kill in records.kills if kill < arrival.at - slack_of(records)]
    again_in_another_mail(records, arrival)


@noticed_as("mails untrue")
def a_line_of_somebody_elses_news(records: Records) -> None:
    news = list(Finder(records).news())
    own = [(each.person, line.words) for each in news for line in each.lines]
    theirs = next(words for person, words in own if (news[0].person, words) not in own)
    say_more(news[0].arrival, theirs)


@noticed_as("mails untrue")
def a_reminder_that_says_more_time_than_there_was(records: Records) -> None:
    finder = Finder(records)
    arrival = next(news.arrival for news in finder.news() if "ReminderDue" in finder.names(news))
    arrival.text = re.sub(r"starts in .+\.", "starts in 55 minutes.", arrival.text)


@noticed_as("mails unwanted")
def a_mail_of_a_kind_that_its_reader_does_not_want(records: Records) -> None:
    notice = Finder(records).mailed("BookingRequestApproved")
    records.deeds.append(deed(records, "choose", by_id=notice.user_id, choice={"booking_decision": False}))


@noticed_as("mails stale")
def a_request_that_was_mailed_of_when_it_was_decided(records: Records) -> None:
    news, line = Finder(records).untold()
    say_more(news.arrival, line)


@noticed_as("calendar files wrong")
def a_file_that_takes_the_session_from_who_is_in(records: Records) -> None:
    file = Finder(records).invited().arrival.calendars[0]
    file.method, file.content = "CANCEL", file.content.replace("METHOD:REQUEST", "METHOD:CANCEL")


@noticed_as("calendar files wrong")
def a_file_whose_mail_calls_it_something_else(records: Records) -> None:
    Finder(records).invited().arrival.calendars[0].method = "PUBLISH"


@noticed_as("calendar files wrong")
def the_uid_of_another_session(records: Records) -> None:
    finder = Finder(records)
    invited = finder.invited()
    file = invited.arrival.calendars[0]
    other = next(news for news in finder.news() if news.arrival.calendars and news.topic != invited.topic)
    uid = re.search(r"(?m)^UID:.*$", other.arrival.calendars[0].content)
    assert uid
    file.content = re.sub(r"(?m)^UID:.*$", uid[0], file.content)


@noticed_as("calendar files wrong")
def a_sequence_that_falls_when_a_mail_comes_again(records: Records) -> None:
    invited = Finder(records).invited()
    arrival = invited.arrival
    arrival.answered = False
    at = arrival.at + WRITTEN_WITHIN * slack_of(records)
    again = arrival.model_copy(deep=True, update={"at": at, "begun_at": at, "answered": True})
    records.arrivals.append(again)
    arrival.calendars[0].content = re.sub(r"SEQUENCE:\d+", "SEQUENCE:99", arrival.calendars[0].content)


@noticed_as("calendar files wrong")
def a_file_with_somebody_elses_address(records: Records) -> None:
    file = Finder(records).invited().arrival.calendars[0]
    unfolded = file.content.replace("\r\n ", "")
    file.content = re.sub(r"(ATTENDEE.*mailto:)\S+", r"\1somebody.else@example.com", unfolded)


@noticed_as("calendar files wrong")
def an_approval_without_a_file(records: Records) -> None:
    finder = Finder(records)
    next(news for news in finder.news() if "SessionApproved" in finder.names(news)).arrival.calendars = []


@noticed_as("calendar files wrong")
def a_file_for_somebody_who_was_never_in(records: Records) -> None:
    finder = Finder(records)
    file = finder.invited().arrival.calendars[0]
    refused = next(
        news
        for news in finder.news()
        if finder.names(news) == {"SessionExpired"}
        and news.person not in finder.histories[int(news.topic.partition(":")[2])].seats
        and not news.arrival.calendars
    )
    refused.arrival.calendars.append(file)


@noticed_as("mails unaccounted for")
def a_mail_that_the_ledger_does_not_know(records: Records) -> None:
    records.arrivals.append(records.arrivals[0].model_copy(update={"message_id": "<stranger@localhost>"}))


@noticed_as("mails unaccounted for")
def a_mail_that_went_to_somebody_else(records: Records) -> None:
    records.arrivals[0].to = ["somebody.else@example.com"]


@noticed_as("rows standing still")
def a_mail_that_is_still_in_hand(records: Records) -> None:
    mail = next(mail for mail in records.mails if mail.status == "sent")
    mail.status, mail.next_try_at = "sending", records.ended_at


@noticed_as("rows standing still")
def a_session_that_no_sweep_takes_up(records: Records) -> None:
    records.sessions[0].due_at.append(records.ended_at - timedelta(minutes=5))


@noticed_as("rows standing still")
def a_receiver_that_was_never_served(records: Records) -> None:
    records.failed_deliveries.append(
        FailedDelivery(fact_id=records.facts[0].id, receiver="modules.notifications.receivers.remind", delivered=False)
    )


@noticed_as("rows standing still")
def a_sweep_that_is_late(records: Records) -> None:
    records.late_sweeps.append("send mail that is due")


@noticed_as("processes that died")
def a_worker_that_ended_by_itself(records: Records) -> None:
    records.died.append("worker, with status 1")
