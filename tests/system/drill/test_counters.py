"""Each counter of the drill notifications the fault that it is there for, and no other does."""

from datetime import timedelta

import pytest

# Importing them fills FAULTS.
from tests.system.drill import faults_of_mails, faults_of_sessions  # noqa: F401
from tests.system.drill.faults import FAULTS, Fault
from tests.system.drill.finder import Finder, add_line, find_last_acknowledged, repeat_in_another_mail

from drill.counting import Counts, count
from drill.mail_contents import ENDS, count_mail_contents
from drill.records import Records
from drill.report import build_table

pytestmark = pytest.mark.system


@pytest.mark.parametrize(
    ("counter", "fault"), FAULTS, ids=[f"{fault.__name__}-{counter.replace(' ', '_')}" for counter, fault in FAULTS]
)
def test_a_planted_fault_raises_its_counter_and_no_other(counter: str, fault: Fault, records: Records) -> None:
    fault(records)
    counts = count(records)
    assert {name for name, found in counts.violations.items() if found} == {counter}, counts.violations
    assert not counts.is_clean


def test_a_mail_server_that_hung_up_explains_one_repetition(records: Records) -> None:
    arrival = find_last_acknowledged(records)
    records.kills = []
    before = set(count(records).violations["mails repeated"])
    arrival.acknowledged = False
    records.arrivals.append(arrival.model_copy(update={"acknowledged": True, "at": records.ended_at}))
    assert set(count(records).violations["mails repeated"]) == before
    records.arrivals.append(arrival.model_copy(update={"acknowledged": True, "at": records.ended_at}))
    assert len(count(records).violations["mails repeated"]) == len(before) + 1


def test_a_mail_server_that_hung_up_explains_news_repeated_in_another_mail(records: Records) -> None:
    arrival = next(news.arrival for news in Finder(records).list_news_mails() if news.arrival.acknowledged)
    arrival.acknowledged = False
    repeat_in_another_mail(records, arrival)
    assert count(records).is_clean


def test_news_beside_a_cancellation_is_stale(records: Records) -> None:
    finder = Finder(records)
    news = next(news for news in finder.list_news_mails() if not finder.list_fact_names(news) & ENDS)
    assert count_mail_contents(records, finder.histories).stale == []
    cancellation = finder.add_fact("SessionCancelled", int(news.topic.partition(":")[2]))
    cancellation.at = news.begin
    finder.add_notification(cancellation, news.person)
    records.notifications[-1].at = news.begin
    records.notifications[-1].message = "It is cancelled."
    add_line(news.arrival, "It is cancelled.")
    stale = count_mail_contents(records, finder.histories).stale
    assert [words.partition(" says: ")[2] for words in stale] == [line.text for line in news.lines]


def test_a_digest_is_missing_if_there_was_news_an_hour_after_the_last_one(records: Records) -> None:
    digest = next(fact for fact in records.facts if fact.name == "SessionsWaiting")
    digest.at -= timedelta(hours=2)
    wrong = count(records).violations["digests wrong"]
    assert any(words.startswith("no digest from") for words in wrong), wrong


def test_every_counter_has_a_planted_fault(records: Records) -> None:
    assert {counter for counter, _ in FAULTS} == set(count(records).violations)


def test_the_table_shows_violations() -> None:
    broken = Counts(figures={"workers killed": "3"}, violations={"mails lost": ["mail 7 to jane@example.com"]})
    assert list(build_table("SQLite", broken)) == [
        "SQLite: FAILED",
        "  workers killed  3",
        "  ----------------------",
        "  mails lost      1",
        "      mail 7 to jane@example.com",
    ]
