"""The first page of the portal: to each what they may see of how things stand, readable without its pictures."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from model_bakery import baker
from tests.core.portal.conftest import NOW
from tests.portal import grant, log_in

from core.accounts.models import User
from core.facts.models import FactRecord, FailedDelivery
from core.jobs.models import Sweep
from core.jobs.periodic import PERIODIC_JOBS
from core.mail.models import Mail
from core.portal.dashboard import Area, Card, Chart, DashboardAsked, Point, Ranked, Ranking, Series

Answer = Callable[[type[Any], Callable[[Any], Any]], None]


@pytest.fixture
def staff(make_member: Callable[..., User]) -> User:
    """Somebody who may enter, without any right."""
    return make_member("stacy", is_staff=True, first_name="Stacy", last_name="Staff")


def cards_of(client: Client) -> dict[str, Card]:
    return {card.key: card for area in client.get("/admin/").context["areas"] for card in area.cards}


def html_of(client: Client) -> str:
    answer = client.get("/admin/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def element(html: str, key: str, tag: str) -> str:
    """The element with that id, as it is written."""
    found = re.search(rf'<{tag}[^>]* id="{key}".*?</{tag}>', html, re.DOTALL)
    assert found is not None, key
    return found[0]


# --- Who sees what ------------------------------------------------------------------------------------------------


def test_a_member_is_not_let_in(john: User) -> None:
    for client in (Client(), log_in(john)):
        answer = client.get("/admin/")
        assert (answer.status_code, answer["Location"]) == (302, "/admin/login/?next=/admin/")


def test_who_may_see_nothing_is_welcomed_all_the_same(staff: User) -> None:
    answer = log_in(staff).get("/admin/")

    assert answer.context["areas"] == []
    assert "Welcome, Stacy Staff" in text_of(answer.content.decode())


def test_moderators_see_that_the_worker_is_late_and_no_list_of_what_only_superusers_see(moderator: Client) -> None:
    cards = cards_of(moderator)

    assert (cards["worker"].value, cards["worker"].url) == ("Not running", "")
    assert not {"failed-deliveries", "failed-mails"} & set(cards)
    for address in ("/admin/core/sweep/", "/admin/core/faileddelivery/", "/admin/core/mail/"):
        assert address not in html_of(moderator)


def test_superusers_see_how_the_service_runs(admin: Client) -> None:
    cards = cards_of(admin)

    assert {"worker", "failed-deliveries", "failed-mails"} <= set(cards)
    assert all(admin.get(cards[key].url).status_code == 200 for key in ("worker", "failed-deliveries", "failed-mails"))


def test_a_single_right_shows_its_card_alone(staff: User) -> None:
    grant(staff, "view_mail")

    assert set(cards_of(log_in(staff))) == {"worker", "failed-mails"}


def test_the_lists_of_all_models_are_in_the_sidebar_and_not_on_the_page(admin: Client) -> None:
    content = html_of(admin).split('id="content"', maxsplit=1)[1]

    assert "What waits now" in content
    assert "/admin/auth/group/" not in content
    assert "/admin/core/login/" not in content


# --- How the service runs -----------------------------------------------------------------------------------------


def sweep(name: str, *, ago: timedelta) -> None:
    baker.make(Sweep, name=name, every=PERIODIC_JOBS[name].every, started_at=NOW - ago, finished_at=NOW - ago)


def test_a_worker_that_does_all_in_time_is_on_time(admin: Client) -> None:
    for name in PERIODIC_JOBS:
        sweep(name, ago=timedelta(seconds=20))

    card = cards_of(admin)["worker"]

    assert (card.value, card.since, card.lines, card.tone) == ("On time", NOW - timedelta(seconds=20), [], "calm")


def test_each_sweep_that_is_late_is_named(admin: Client) -> None:
    for name in PERIODIC_JOBS:
        sweep(
            name, ago=timedelta(hours=2) if name in {"send mail that is due", "serve receivers again"} else timedelta(0)
        )

    card = cards_of(admin)["worker"]

    assert (card.value, card.tone) == ("Late", "alarm")
    assert card.lines == ["Late to send mail that is due", "Late to serve receivers again"]
    assert "Late to send mail that is due" in text_of(element(html_of(admin), "card-worker", "a"))


def test_a_worker_that_never_ran_is_not_running(admin: Client) -> None:
    card = cards_of(admin)["worker"]

    assert (card.value, card.since, len(card.lines)) == ("Not running", None, len(PERIODIC_JOBS))


@pytest.fixture
def make_failure(db: None) -> Callable[..., FailedDelivery]:
    def make(**values: Any) -> FailedDelivery:
        fact = baker.make(FactRecord, occurred_at=NOW, payload={})
        return baker.make(FailedDelivery, fact=fact, failed_at=NOW, **{"next_try_at": None, **values})

    return make


def listed(client: Client, url: str) -> set[int]:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return {row.pk for row in answer.context["cl"].result_list}


def test_failed_deliveries_are_those_that_were_never_made(
    admin: Client, make_failure: Callable[..., FailedDelivery]
) -> None:
    failed = {make_failure().pk, make_failure(next_try_at=NOW).pk, make_failure(next_try_at=NOW).pk}
    make_failure(delivered_at=NOW)

    card = cards_of(admin)["failed-deliveries"]

    assert (card.value, card.note, card.tone) == ("3", "1 given up, 2 tried again", "alarm")
    assert listed(admin, card.url) == failed


def test_what_is_tried_again_is_a_warning(admin: Client, make_failure: Callable[..., FailedDelivery]) -> None:
    make_failure(next_try_at=NOW)

    card = cards_of(admin)["failed-deliveries"]

    assert (card.value, card.note, card.tone) == ("1", "All of them are tried again", "warning")


def test_failed_mails_lead_to_the_mails_that_failed(admin: Client, john: User) -> None:
    def mail(status: str, **values: Any) -> int:
        return baker.make(Mail, user=john, status=status, topic="", **{"next_try_at": None, **values}).pk

    failed = {mail("failed"), mail("failed", next_try_at=NOW)}
    mail("sent")
    mail("dropped")
    mail("queued", next_try_at=NOW)

    card = cards_of(admin)["failed-mails"]

    assert (card.value, card.note) == ("2", "1 given up, 1 tried again")
    assert listed(admin, card.url) == failed


def test_where_nothing_failed_all_is_calm(admin: Client) -> None:
    cards = cards_of(admin)

    for key in ("failed-deliveries", "failed-mails"):
        assert (cards[key].value, cards[key].note, cards[key].tone) == ("0", "Nothing is left over", "calm")


# --- How it is shown ----------------------------------------------------------------------------------------------


def lanterns(**values: Any) -> Area:
    chart = Chart(
        key="lanterns",
        title="Lanterns",
        kind="bars",
        summary="5 burn, 1 does not.",
        label="Street",
        labels=["Long Lane", "Short Lane"],
        series=[
            Series(
                key="held",
                title="Burning",
                points=[Point(value=2, text="2", url="/long/?on=1&x=2"), Point(value=3, text="3 <all>")],
                total=Point(value=5, text="5", url="/all/"),
            ),
            Series(
                key="expired",
                title="Dark",
                points=[Point(value=1, text="1"), Point(value=None, text="none there")],
                total=Point(value=1, text="1"),
            ),
        ],
    )
    ranking = Ranking(
        key="streets",
        title="Brightest streets",
        rows=[Ranked(title="Short Lane", text="3 lanterns", share=100, url="/short/")],
        empty_text="There is no street.",
    )
    card = Card(
        key="oil", title="Oil", value="9 gallons", icon="oil_barrel", note="filled", since=NOW, url="/oil/?a=1&b=2"
    )
    return Area(
        **{"key": "lamps", "title": "Lamps", "rank": 5, "cards": [card], "charts": [chart], "rankings": [ranking]}
        | values
    )


def test_a_chart_is_a_picture_with_a_name_that_says_the_main_thing(admin: Client, answer: Answer) -> None:
    answer(DashboardAsked, lambda _: [lanterns()])

    figure = element(html_of(admin), "chart-lanterns", "figure")

    assert 'role="img" aria-label="Lanterns. 5 burn, 1 does not."' in figure
    assert "5 burn, 1 does not." in text_of(figure)


def test_the_numbers_of_a_chart_are_a_table_too_with_the_links_to_what_they_count(
    admin: Client, answer: Answer
) -> None:
    answer(DashboardAsked, lambda _: [lanterns()])

    table = element(html_of(admin), "chart-lanterns", "figure").split("<table>")[1].split("</table>")[0]

    rows = [text_of(row) for row in table.split("</tr>")]
    assert rows == ["Street Burning Dark", "Long Lane 2 1", "Short Lane 3 <all> none there", "Together 5 1", ""]
    assert [unescape(link) for link in re.findall(r'href="([^"]*)"', table)] == ["/long/?on=1&x=2", "/all/"]


def test_a_card_leads_to_what_it_counts_and_says_when_by_the_viewers_clock(admin: Client, answer: Answer) -> None:
    answer(DashboardAsked, lambda _: [lanterns()])

    card = element(html_of(admin), "card-oil", "a")

    assert 'href="/oil/?a=1&amp;b=2"' in card
    assert text_of(card) == "oil_barrel Oil 9 gallons filled Wed 10 Jan 2024, 11:00 just now"


def test_numbers_that_are_not_of_now_say_of_when_they_are_by_the_viewers_clock(admin: Client, answer: Answer) -> None:
    answer(DashboardAsked, lambda _: [lanterns(as_of=NOW - timedelta(seconds=30), note="In London.")])

    assert "Lamps In London. As of 10:59 ." in text_of(html_of(admin))


def test_areas_stand_in_the_order_of_their_ranks(admin: Client, answer: Answer) -> None:
    areas = [lanterns(key="b", title="Last", rank=9), lanterns(key="a", title="First", rank=1)]
    answer(DashboardAsked, lambda _: areas)

    assert re.findall(r'<h2 id="area-\w+">(.*?)</h2>', html_of(admin)) == ["First", "Last"]


def test_what_is_asked_is_what_this_viewer_may_see(admin: Client, root: User, answer: Answer) -> None:
    asked: list[User] = []
    answer(DashboardAsked, lambda question: asked.append(question.viewer))

    admin.get("/admin/")

    assert asked == [root]
