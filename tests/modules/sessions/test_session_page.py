"""The portal's page of a session: who sees what."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from model_bakery import baker
from tests.modules.sessions.conftest import NOW, MakeSession, join, nothing_changes, path
from tests.modules.sessions.portal import LIST, messages_of, page
from tests.portal import log_in

from core.accounts.models import User
from core.portal.panels import Panel
from modules.sessions.events import PanelsOfSession
from modules.sessions.models import BookingRequest, DecisionLease, Session

HOSTILE = "<script>alert(1)</script>"


def record(session: Session) -> str:
    return f"{LIST}{session.pk}/record/"


def tabs_of(response: Any) -> list[str]:
    assert response.status_code == 200, response.status_code
    return [panel.key for panel in response.context["panels"]]


def panel_of(response: Any, key: str) -> Panel:
    [panel] = [panel for panel in response.context["panels"] if panel.key == key]
    return panel


def html_of(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return " ".join(str(response.content.decode()).split())


@pytest.fixture(autouse=True)
def alone(answer: Any) -> list[PanelsOfSession]:
    """The questions to other modules, which show no panels."""
    asked: list[PanelsOfSession] = []
    answer(PanelsOfSession, asked.append)
    return asked


@pytest.fixture
def staff_with(make_member: Callable[..., User]) -> Callable[..., Client]:
    """`staff_with("view_session")`: a member of the staff with only these permissions."""

    def make(*codenames: str) -> Client:
        member = make_member("staff", is_staff=True)
        member.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return log_in(member)

    return make


@pytest.fixture
def moderator(alice: User) -> Client:
    alice.is_staff = True
    alice.timezone = "America/New_York"
    alice.save()
    return log_in(alice)


# --- Who ---------------------------------------------------------------------------------------------------------


def test_a_moderator_sees_all_panels(moderator: Client, make_session: MakeSession) -> None:
    assert tabs_of(moderator.get(page(make_session()))) == ["details", "requests", "participants", "history"]


@pytest.mark.parametrize("path_of", [page, record])
def test_members_and_anonymous_users_are_redirected_to_the_login(
    path_of: Callable[[Session], str], make_session: MakeSession, john: User
) -> None:
    session = make_session()
    for client in (Client(), log_in(john)):
        answer = client.get(path_of(session))
        assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={path_of(session)}")


@pytest.mark.parametrize("path_of", [page, record])
def test_staff_without_permission_are_refused(
    path_of: Callable[[Session], str], make_session: MakeSession, staff_with: Callable[..., Client]
) -> None:
    session = make_session(title="Knots")
    answer = staff_with("view_bookingrequest", "view_factrecord").get(path_of(session))
    assert answer.status_code == 403
    assert "Knots" not in answer.content.decode()


@pytest.mark.parametrize(
    ("rights", "tabs"),
    [
        ([], ["details"]),
        (["view_bookingrequest"], ["details", "requests", "participants"]),
        (["view_factrecord"], ["details", "history"]),
    ],
)
def test_staff_with_view_permission_see_their_panels_without_buttons(
    rights: list[str], tabs: list[str], make_session: MakeSession, jane: User, staff_with: Callable[..., Client]
) -> None:
    session = make_session("scheduled", participants=[jane], second_look_since=NOW)
    answer = staff_with("view_session", *rights).get(page(session))
    assert tabs_of(answer) == tabs
    assert "data-dialog=" not in html_of(answer)
    assert answer.context["actions"] == ()


def test_the_history_needs_permission_for_facts(make_session: MakeSession, staff_with: Callable[..., Client]) -> None:
    assert staff_with("view_session").get(record(make_session())).status_code == 403


def test_nobody_moderates_their_own_session_but_a_superuser(
    moderator: Client, alice: User, root: User, jane: User, make_session: MakeSession
) -> None:
    own = make_session("scheduled", creator=alice, participants=[jane])
    assert tabs_of(moderator.get(page(own))) == ["details", "requests", "participants"]
    assert "data-dialog=" not in html_of(moderator.get(page(own)))
    roots = make_session("scheduled", creator=root, participants=[jane])
    answer = log_in(root).get(page(roots))
    assert [action["label"] for action in answer.context["actions"]] == ["Hide", "Cancel"]


def test_links_to_members_need_permission(
    make_session: MakeSession, john: User, moderator: Client, staff_with: Callable[..., Client]
) -> None:
    session, link = make_session(), f'href="/admin/core/user/{john.pk}/change/"'
    assert link in html_of(moderator.get(page(session)))
    viewer = staff_with("view_session", "view_bookingrequest", "view_factrecord")
    assert link not in html_of(viewer.get(page(session)))
    assert "John Doe" in html_of(viewer.get(page(session)))


# --- The address -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["0", "999999", "9" * 30, "knots", "1.5", "-1"])
def test_a_deleted_session_is_handled_like_in_djangos_admin(key: str, moderator: Client) -> None:
    answer = moderator.get(f"{LIST}{key}/change/", follow=True)
    assert answer.redirect_chain == [("/admin/", 302)]
    [message] = messages_of(answer)
    assert message.startswith(f"session with ID “{key}”")
    assert message.endswith("Perhaps it was deleted?")


def test_ids_of_sessions_are_not_revealed_without_permission(staff_with: Callable[..., Client]) -> None:
    assert staff_with().get(f"{LIST}999999/change/").status_code == 403


@pytest.mark.parametrize("key", ["999999", "9" * 30])
def test_the_history_of_a_deleted_session_is_a_404(key: str, moderator: Client) -> None:
    assert moderator.get(f"{LIST}{key}/record/").status_code == 404


def test_the_page_is_read_only(moderator: Client, root: User, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    with nothing_changes():
        assert moderator.get(page(session)).status_code == 200
        assert moderator.get(record(session)).status_code == 200
        assert moderator.head(page(session)).status_code == 200
        for client in (moderator, log_in(root)):
            for method in ("post", "put", "patch", "delete"):
                assert getattr(client, method)(page(session), {"title": "Mine"}).status_code == 403
            assert client.post(record(session)).status_code == 405


# --- What it shows -----------------------------------------------------------------------------------------------


def test_the_header_shows_title_creator_and_start(moderator: Client, make_session: MakeSession, jane: User) -> None:
    session = make_session("scheduled", participants=[jane], title="Knots", date="2024-01-12T14:00:00Z")
    html = html_of(moderator.get(page(session)))
    assert '<h2 class="portal-head-title">Knots</h2>' in html
    assert '<span class="portal-mark portal-mark-good">scheduled</span>' in html
    # By her clock in New York, and two days from now.
    assert "Fri 12 Jan 2024, 09:00" in html
    assert "in 2 days" in html
    assert "1 of 15 places taken" in html


def test_all_details_are_shown(moderator: Client, root: User, make_session: MakeSession) -> None:
    session = make_session(
        title="Knots",
        description="Five knots.\nFor every day.",
        decided_at=NOW - timedelta(days=8),
        decided_by=root,
        hidden_at=NOW - timedelta(days=1),
        second_look_since=NOW - timedelta(hours=2),
    )
    html = moderator.get(page(session)).content.decode()
    assert '<dd class="portal-text">Five knots.\nFor every day.</dd>' in html
    html = " ".join(html.split())
    for words in (
        "<dd>Programming</dd>",
        "<dd>Advanced</dd>",
        "after 90 minutes",
        "15, of which 15 are free",
        "(john_doe)",
        "1 day ago",
        "2 hours ago",
        "1 week ago",
        "nobody decides on it now",
        str(session.calendar_uid),
    ):
        assert words in html, words
    assert html.count(">root</a>") == 1, "who decided"


def test_the_holder_of_the_lease_is_shown(moderator: Client, root: User, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    baker.make(DecisionLease, session=session, holder=root, taken_at=NOW, ends_at=NOW + timedelta(minutes=5))
    html = " ".join(moderator.get(page(session)).content.decode().split())
    assert "decides, until 05:05 at most" in html
    assert html.count(">root</a>") == 2, "in the head and among the details"


def test_an_expired_lease_is_not_shown(moderator: Client, root: User, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    baker.make(DecisionLease, session=session, holder=root, taken_at=NOW - timedelta(minutes=5), ends_at=NOW)
    html = html_of(moderator.get(page(session)))
    assert "nobody decides on it now" in html
    assert ">root</a>" not in html


def edit(api_of: Any, session: Session, **values: Any) -> None:
    answer = api_of(session.creator).put(path(session), values)
    assert answer.status_code == 200, answer.json()


@pytest.mark.parametrize("who", ["moderator", "viewer"])
def test_edits_since_the_approval_are_shown(
    who: str, moderator: Client, make_session: MakeSession, api_of: Any, staff_with: Callable[..., Client]
) -> None:
    session = make_session(title="Knots")
    edit(api_of, session, title="Bends")
    client = moderator if who == "moderator" else staff_with("view_session")
    html = html_of(client.get(page(session)))
    assert "waits for a second look since" in html
    before, after = '<del class="portal-before">Knots</del>', '<ins class="portal-after">Bends</ins>'
    assert html.count(before) == html.count(after) == (2 if who == "moderator" else 1)


def test_evidence_is_shown_to_moderators_only(
    moderator: Client, make_session: MakeSession, staff_with: Callable[..., Client]
) -> None:
    session = make_session("pending_approval")
    assert "The creator so far:" in html_of(moderator.get(page(session)))
    assert "The creator so far:" not in html_of(staff_with("view_session").get(page(session)))


def test_requests_are_listed_latest_first(
    moderator: Client, make_session: MakeSession, john: User, jane: User, bob: User, mallory: User
) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "rejected", mallory: "pending"})
    BookingRequest.objects.filter(user=jane).update(role="tutor", decided_by=john)
    answer = moderator.get(page(session))
    panel = panel_of(answer, "requests")
    assert (panel.count, [each.user for each in panel.context["requests"]]) == (3, [mallory, bob, jane])
    html = html_of(answer)
    assert '<blockquote class="portal-quote">mallory would like to learn this</blockquote>' in html
    assert "when the session closed" in html
    for status in ("Pending", "Rejected", "Approved"):
        assert f">{status}</span>" in html


def test_participants_are_listed_in_order_of_joining(
    moderator: Client, make_session: MakeSession, jane: User, bob: User, mallory: User
) -> None:
    session = make_session("scheduled", participants=[jane, bob], requests={mallory: "pending"})
    answer = moderator.get(page(session))
    panel = panel_of(answer, "participants")
    assert (panel.count, [seat.user for seat in panel.context["seats"]]) == (2, [jane, bob])
    html = html_of(answer)
    assert f'data-dialog="{LIST}{session.pk}/participants/{jane.pk}/remove/"' in html
    assert f"participants/{mallory.pk}/remove" not in html


@pytest.mark.parametrize("status", ["ongoing", "completed", "cancelled"])
def test_there_is_no_button_to_remove_participants_after_the_start(
    status: str, moderator: Client, make_session: MakeSession, jane: User
) -> None:
    session = make_session(status, participants=[jane])
    html = html_of(moderator.get(page(session)))
    assert "Jane Smith" in html
    assert "/remove/" not in html


def test_empty_panels_say_so(moderator: Client, make_session: MakeSession) -> None:
    html = html_of(moderator.get(page(make_session())))
    assert "Nobody has asked to join." in html
    assert "Nobody is in." in html


def test_only_the_latest_requests_are_shown_with_a_link_to_all(
    moderator: Client, make_session: MakeSession, make_member: Callable[..., User]
) -> None:
    session, other = make_session(), make_session(requests={make_member("other"): "pending"})
    members = User.objects.bulk_create(User(username=f"m{number}", username_key=f"m{number}") for number in range(201))
    for number, member in enumerate(members):
        join(session, member, "pending", after=number)
    answer = moderator.get(page(session))
    panel = panel_of(answer, "requests")
    assert (panel.count, len(panel.context["requests"])) == (201, 200)
    assert panel.context["requests"][0].user == members[-1]
    assert "The latest 200 of 201." in html_of(answer)

    everything = moderator.get(panel.context["all_url"])
    assert everything.status_code == 200
    shown = {request.session_id for request in everything.context["cl"].result_list}
    assert shown == {session.pk}
    assert other.pk not in shown


def test_texts_of_members_are_escaped(
    moderator: Client, make_session: MakeSession, make_member: Callable[..., User], root: User
) -> None:
    mallory = make_member("mallory", first_name=HOSTILE, last_name='"><img src=x onerror=alert(1)>')
    session = make_session(
        "scheduled", creator=mallory, participants=[mallory], title=HOSTILE, description=HOSTILE, subject=HOSTILE
    )
    BookingRequest.objects.update(message=f"{HOSTILE}</blockquote>")
    for client in (moderator, log_in(root)):
        html = client.get(page(session)).content.decode()
        assert HOSTILE not in html
        assert "<img" not in html
        assert html.count("</blockquote>") == html.count("<blockquote")
        dialog = client.post(f"{LIST}{session.pk}/cancel/").content.decode()
        assert HOSTILE not in dialog


# --- Tabs --------------------------------------------------------------------------------------------------------


def test_tabs_and_panels_reference_each_other(moderator: Client, make_session: MakeSession) -> None:
    html = html_of(moderator.get(page(make_session())))
    assert html.count('role="tab"') == html.count('role="tabpanel"') == 4
    assert 'role="tablist" aria-label="Advanced Python Programming"' in html
    for key in ("details", "requests", "participants", "history"):
        assert f'id="tab-{key}" data-tab="{key}" aria-controls="panel-{key}"' in html
        assert f'id="panel-{key}" aria-labelledby="tab-{key}"' in html
    assert html.count('aria-selected="true"') == 1
    assert html.count('role="tab" class="portal-tab"') - html.count('tabindex="-1">') == 1, "one stop for the keyboard"


def test_panels_of_other_modules_are_ordered_by_rank(
    moderator: Client, alice: User, make_session: MakeSession, answer: Any, alone: list[PanelsOfSession]
) -> None:
    session = make_session()
    moderator.get(page(session))
    [asked] = alone
    assert (asked.session_id, asked.viewer, asked.can_moderate, asked.origin) == (
        session.pk,
        alice,
        True,
        "http://testserver",
    )
    strange = Panel(key="strange", title="Strange", template="portal/member.html", rank=25, context={"member": None})
    answer(PanelsOfSession, lambda question: [strange])
    tabs = tabs_of(moderator.get(page(session)))
    assert tabs == ["details", "requests", "strange", "participants", "history"]


# --- What it costs -----------------------------------------------------------------------------------------------


def test_the_number_of_queries_is_constant(
    moderator: Client, make_session: MakeSession, make_member: Callable[..., User], john: User, api_of: Any
) -> None:
    counts = []
    for size in (3, 30):
        people = [make_member(f"p{size}_{number}") for number in range(size)]
        askers = {make_member(f"a{size}_{number}"): "pending" for number in range(size)}
        session = make_session("scheduled", participants=people, requests=askers, max_participants=50)
        BookingRequest.objects.filter(session=session).update(decided_by=john)
        for number in range(size):
            edit(api_of, session, title=f"Knots {number}", description=f"Five knots, {number} ways.\n" * 9)
            make_session("pending_approval", title=f"At the same time {number}")
        with CaptureQueriesContext(connection) as captured:
            answer = moderator.get(page(session))
        assert panel_of(answer, "requests").count == 2 * size
        assert len(panel_of(answer, "history").context["history"].entries) == size
        counts.append(len(captured))
    assert counts[0] == counts[1] < 40
