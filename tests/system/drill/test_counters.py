"""Each counter of the drill notices the fault that it is there for, and no other does."""

from datetime import timedelta

import pytest

# Importing them fills FAULTS.
from tests.system.drill import faults_of_mails, faults_of_sessions  # noqa: F401
from tests.system.drill.faults import FAULTS, Fault
from tests.system.drill.finder import Finder, again_in_another_mail, last_answered, say_more

from drill.counting import Counts, count
from drill.mail_contents import ENDS, count_mail_contents
from drill.records import Records
from drill.report import table

pytestmark = pytest.mark.system


@pytest.mark.parametrize(
    ("counter", "fault"), FAULTS, ids=[f"{fault.__name__}-{counter.replace(' ', '_')}" for counter, fault in FAULTS]
)
def test_a_planted_fault_raises_its_counter_and_no_other(counter: str, fault: Fault, records: Records) -> None:
    fault(records)
    counts = count(records)
    assert {name for name, found in counts.bad.items() if found} == {counter}, counts.bad
    assert not counts.is_clean


def test_a_mail_server_that_hung_up_explains_one_repetition(records: Records) -> None:
    arrival = last_answered(records)
    records.kills = []
    before = set(count(records).bad["mails repeated"])
    arrival.answered = False
    records.arrivals.append(arrival.model_copy(update={"answered": True, "at": records.ended_at}))
    assert set(count(records).bad["mails repeated"]) == before
    records.arrivals.append(arrival.model_copy(update={"answered": True, "at": records.ended_at}))
    assert len(count(records).bad["mails repeated"]) == len(before) + 1


def test_a_mail_server_that_hung_up_explains_that_news_is_told_in_another_mail(records: Records) -> None:
    arrival = next(news.arrival for news in Finder(records).news() if news.arrival.answered)
    arrival.answered = False
    again_in_another_mail(records, arrival)
    assert count(records).is_clean


def test_what_is_said_beside_a_cancellation_is_stale(records: Records) -> None:
    finder = Finder(records)
    news = next(news for news in finder.news() if not finder.names(news) & ENDS)
    assert count_mail_contents(records, finder.histories).stale == []
    cancellation = finder.add_fact("SessionCancelled", int(news.topic.partition(":")[2]))
    cancellation.at = news.begin
    finder.add_notice(cancellation, news.person)
    records.notices[-1].at = news.begin
    records.notices[-1].message = "It is cancelled."
    say_more(news.arrival, "It is cancelled.")
    stale = count_mail_contents(records, finder.histories).stale
    assert [words.partition(" says: ")[2] for words in stale] == [line.words for line in news.lines]


def test_a_digest_is_missing_where_there_was_news_an_hour_after_the_last(records: Records) -> None:
    digest = next(fact for fact in records.facts if fact.name == "SessionsWaiting")
    digest.at -= timedelta(hours=2)
    wrong = count(records).bad["digests wrong"]
    assert any(words.startswith("no digest from") for words in wrong), wrong


def test_every_counter_has_a_planted_fault(records: Records) -> None:
    assert {counter for counter, _ in FAULTS} == set(count(records).bad)


def test_the_table_says_that_a_promise_was_broken_and_which() -> None:
    broken = Counts(figures={"workers killed": "3"}, bad={"mails lost": ["mail 7 to jane@example.com"]})
    assert list(table("SQLite", broken)) == [
        "SQLite: FAILED",
        "  workers killed  3",
        "  ----------------------",
        "  mails lost      1",
        "      mail 7 to jane@example.com",
    ]
