"""The dashboard: what each viewer sees, and that charts are readable without pictures."""

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
    """Staff without permissions."""
    return make_member("stacy", is_staff=True, first_name="Stacy", last_name="Staff")


def get_cards(client: Client) -> dict[str, Card]:
    return {card.key: card for area in client.get("/admin/").context["areas"] for card in area.cards}


def get_html(client: Client) -> str:
    answer = client.get("/admin/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def extract_text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def find_element(html: str, key: str, tag: str) -> str:
    """The HTML of the element with that id."""
    found = re.search(rf'<{tag}[^>]* id="{key}".*?</{tag}>', html, re.DOTALL)
    assert found is not None, key
    return found[0]


# --- Permissions --------------------------------------------------------------------------------------------------


def test_members_without_staff_rights_cannot_enter(john: User) -> None:
    for client in (Client(), log_in(john)):
        answer = client.get("/admin/")
        assert (answer.status_code, answer["Location"]) == (302, "/admin/login/?next=/admin/")


def test_staff_without_permissions_see_a_welcome(staff: User) -> None:
    answer = log_in(staff).get("/admin/")

    assert answer.context["areas"] == []
    assert "Welcome, Stacy Staff" in extract_text(answer.content.decode())


def test_moderators_see_a_late_worker_without_links_to_the_lists_of_superusers(moderator: Client) -> None:
    cards = get_cards(moderator)

    assert (cards["worker"].value, cards["worker"].url) == ("Not running", "")
    assert not {"failed-deliveries", "failed-mails"} & set(cards)
    for address in ("/admin/core/sweep/", "/admin/core/faileddelivery/", "/admin/core/mail/"):
        assert address not in get_html(moderator)


def test_superusers_see_the_cards_of_operations(admin: Client) -> None:
    cards = get_cards(admin)

    assert {"worker", "failed-deliveries", "failed-mails"} <= set(cards)
    assert all(admin.get(cards[key].url).status_code == 200 for key in ("worker", "failed-deliveries", "failed-mails"))


def test_a_single_permission_shows_its_card(staff: User) -> None:
    grant(staff, "view_mail")

    assert set(get_cards(log_in(staff))) == {"worker", "failed-mails"}


def test_the_page_has_no_list_of_models(admin: Client) -> None:
    content = get_html(admin).split('id="content"', maxsplit=1)[1]

    assert "What waits now" in content
    assert "/admin/auth/group/" not in content
    assert "/admin/core/login/" not in content


# --- Operations ---------------------------------------------------------------------------------------------------


def sweep(name: str, *, ago: timedelta) -> None:
    baker.make(Sweep, name=name, every=PERIODIC_JOBS[name].every, started_at=NOW - ago, finished_at=NOW - ago)


def test_the_worker_is_on_time_if_all_jobs_are(admin: Client) -> None:
    for name in PERIODIC_JOBS:
        sweep(name, ago=timedelta(seconds=20))

    card = get_cards(admin)["worker"]

    assert (card.value, card.since, card.lines, card.tone) == ("On time", NOW - timedelta(seconds=20), [], "calm")


def test_late_jobs_are_listed(admin: Client) -> None:
    for name in PERIODIC_JOBS:
        sweep(
            name, ago=timedelta(hours=2) if name in {"send mail that is due", "serve receivers again"} else timedelta(0)
        )

    card = get_cards(admin)["worker"]

    assert (card.value, card.tone) == ("Late", "alarm")
    assert card.lines == ["Late to send mail that is due", "Late to serve receivers again"]
    assert "Late to send mail that is due" in extract_text(find_element(get_html(admin), "card-worker", "a"))


def test_a_worker_that_never_ran_is_reported(admin: Client) -> None:
    card = get_cards(admin)["worker"]

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


def test_failed_deliveries_count_those_not_delivered_since(
    admin: Client, make_failure: Callable[..., FailedDelivery]
) -> None:
    failed = {make_failure().pk, make_failure(next_try_at=NOW).pk, make_failure(next_try_at=NOW).pk}
    make_failure(delivered_at=NOW)

    card = get_cards(admin)["failed-deliveries"]

    assert (card.value, card.note, card.tone) == ("3", "1 given up, 2 tried again", "alarm")
    assert listed(admin, card.url) == failed


def test_pending_retries_are_a_warning(admin: Client, make_failure: Callable[..., FailedDelivery]) -> None:
    make_failure(next_try_at=NOW)

    card = get_cards(admin)["failed-deliveries"]

    assert (card.value, card.note, card.tone) == ("1", "All of them are tried again", "warning")


def test_the_card_of_failed_mails_links_to_them(admin: Client, john: User) -> None:
    def mail(status: str, **values: Any) -> int:
        return baker.make(Mail, user=john, status=status, topic="", **{"next_try_at": None, **values}).pk

    failed = {mail("failed"), mail("failed", next_try_at=NOW)}
    mail("sent")
    mail("dropped")
    mail("queued", next_try_at=NOW)

    card = get_cards(admin)["failed-mails"]

    assert (card.value, card.note) == ("2", "1 given up, 1 tried again")
    assert listed(admin, card.url) == failed


def test_without_failures_all_cards_are_calm(admin: Client) -> None:
    cards = get_cards(admin)

    for key in ("failed-deliveries", "failed-mails"):
        assert (cards[key].value, cards[key].note, cards[key].tone) == ("0", "Nothing is left over", "calm")


# --- Rendering ----------------------------------------------------------------------------------------------------


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


def test_a_chart_has_its_summary_as_accessible_name(admin: Client, answer: Answer) -> None:
    answer(DashboardAsked, lambda _: [lanterns()])

    figure = find_element(get_html(admin), "chart-lanterns", "figure")

    assert 'role="img" aria-label="Lanterns. 5 burn, 1 does not."' in figure
    assert "5 burn, 1 does not." in extract_text(figure)


def test_a_chart_has_a_table_with_links(admin: Client, answer: Answer) -> None:
    answer(DashboardAsked, lambda _: [lanterns()])

    table = find_element(get_html(admin), "chart-lanterns", "figure").split("<table>")[1].split("</table>")[0]

    rows = [extract_text(row) for row in table.split("</tr>")]
    assert rows == ["Street Burning Dark", "Long Lane 2 1", "Short Lane 3 <all> none there", "Together 5 1", ""]
    assert [unescape(link) for link in re.findall(r'href="([^"]*)"', table)] == ["/long/?on=1&x=2", "/all/"]


def test_a_card_links_to_what_it_counts_and_shows_local_time(admin: Client, answer: Answer) -> None:
    answer(DashboardAsked, lambda _: [lanterns()])

    card = find_element(get_html(admin), "card-oil", "a")

    assert 'href="/oil/?a=1&amp;b=2"' in card
    assert extract_text(card) == "oil_barrel Oil 9 gallons filled Wed 10 Jan 2024, 11:00 just now"


def test_cached_numbers_show_when_they_were_computed_in_local_time(admin: Client, answer: Answer) -> None:
    answer(DashboardAsked, lambda _: [lanterns(as_of=NOW - timedelta(seconds=30), note="In London.")])

    assert "Lamps In London. As of 10:59 ." in extract_text(get_html(admin))


def test_areas_are_sorted_by_rank(admin: Client, answer: Answer) -> None:
    areas = [lanterns(key="b", title="Last", rank=9), lanterns(key="a", title="First", rank=1)]
    answer(DashboardAsked, lambda _: areas)

    assert re.findall(r'<h2 id="area-\w+">(.*?)</h2>', get_html(admin)) == ["First", "Last"]


def test_areas_are_asked_for_the_viewer(admin: Client, root: User, answer: Answer) -> None:
    asked: list[User] = []
    answer(DashboardAsked, lambda question: asked.append(question.viewer))

    admin.get("/admin/")

    assert asked == [root]
