"""The panels of sessions, decisions and bookings on the portal's page of a member."""

from collections.abc import Callable
from datetime import timedelta
from html import escape
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from tests.modules.sessions.conftest import NOW, MakeSession

from core.accounts.models import User
from core.portal.panels import PanelsOfMember
from modules.sessions.models import Session
from modules.sessions.queries.members import MAX_SHOWN
from modules.sessions.services import moderation, running

HOSTILE = "<script>alert(1)</script>"


def page_of(member: User) -> str:
    return reverse("admin:core_user_change", args=[member.pk])


def session_page(session: Session) -> str:
    return reverse("admin:learning_sessions_session_change", args=[session.pk])


def panels(member: User, viewer: User) -> dict[str, Any]:
    (answer,) = PanelsOfMember(member=member, viewer=viewer).ask_all()
    return {panel.key: panel for panel in answer}


def panel_text(client: Client, member: User, key: str) -> str:
    """One tab of the page, as HTML."""
    response = client.get(page_of(member))
    assert response.status_code == 200
    _, _, rest = response.content.decode().partition(f'id="panel-{key}"')
    return rest.partition("</section>")[0]


def test_sessions_are_counted_by_outcome(
    john: User, alice: User, moderator: Client, make_session: MakeSession, jane: User
) -> None:
    for status, count in {"completed": 3, "expired": 1, "scheduled": 2, "pending_approval": 1}.items():
        for _ in range(count):
            make_session(status)
    make_session("cancelled", ever_approved=True)
    make_session("cancelled", decided_at=NOW, decided_by=alice)
    make_session("completed", creator=jane)

    text = panel_text(moderator, john, "sessions")

    for words in ("3 held", "1 cancelled", "1 rejected", "1 expired", "3 not over yet"):
        assert words in text
    assert panels(john, alice)["sessions"].count == 9


def test_each_number_links_to_its_sessions(
    john: User, moderator: Client, make_session: MakeSession, jane: User
) -> None:
    held, waiting = make_session("completed"), make_session("pending_approval")
    make_session("completed", creator=jane)
    numbers = panels(john, User.objects.get(username="alice_jones"))["sessions"].context["outcomes"]
    links = {label: url for label, _, url in numbers}

    for label, expected in (("held", [held]), ("not over yet", [waiting]), ("expired", [])):
        response = moderator.get(links[label])

        assert response.status_code == 200
        assert list(response.context["cl"].result_list) == expected


def test_sessions_are_listed_by_start_with_links(
    john: User, moderator: Client, make_session: MakeSession, jane: User
) -> None:
    late = make_session("approved", title="Knots", date=NOW + timedelta(days=9))
    early = make_session("completed", title="Ropes", hidden_at=NOW)
    other = make_session("approved", title="Nets", creator=jane)

    text = panel_text(moderator, john, "sessions")

    assert text.index(session_page(late)) < text.index(session_page(early))
    assert session_page(other) not in text
    assert "hidden" in text


def test_only_the_latest_sessions_are_listed_with_a_link_to_all(
    john: User, alice: User, moderator: Client, make_session: MakeSession
) -> None:
    for number in range(MAX_SHOWN + 2):
        make_session("completed", date=NOW - timedelta(days=2 + number), participants=[])

    panel = panels(john, alice)["sessions"]

    assert (panel.count, len(panel.context["offered"].latest)) == (MAX_SHOWN + 2, MAX_SHOWN)
    assert f"The latest {MAX_SHOWN} of {MAX_SHOWN + 2}." in panel_text(moderator, john, "sessions")


def test_decisions_are_shown_with_actor_and_reason(
    john: User, jane: User, alice: User, victor: User, moderator: Client, make_session: MakeSession, clock: Any
) -> None:
    knots, ropes = (make_session("pending_approval", title=title) for title in ("Knots", "Ropes"))
    nets, own = (make_session("scheduled", title=title) for title in ("Nets", "Own"))
    other = make_session("pending_approval", title="Another's", creator=jane)
    moderation.approve_session(session_id=knots.pk, by=alice)
    clock.shift(60)
    moderation.reject_session(session_id=ropes.pk, by=victor, reason="Not to be learnt & more")
    moderation.reject_session(session_id=other.pk, by=victor, reason="Another's reason")
    clock.shift(60)
    running.cancel_session(session_id=nets.pk, by=alice, reason="Nobody is safe there.")
    running.cancel_session(session_id=own.pk, by=john, reason="My own reason")

    text = panel_text(moderator, john, "decisions")

    assert text.index("Nobody is safe there.") < text.index("Not to be learnt &amp; more") < text.index("approved")
    assert "Victor Vogel" in text
    assert "Alice Jones" in text
    for absent in ("Another&#x27;s reason", "My own reason"):
        assert absent not in text
    assert session_page(ropes) in text


def test_many_approvals_do_not_displace_a_rejection(
    john: User, alice: User, moderator: Client, make_session: MakeSession, clock: Any
) -> None:
    rejected = make_session("pending_approval")
    moderation.reject_session(session_id=rejected.pk, by=alice, reason="Once, long ago")
    for _ in range(MAX_SHOWN):
        clock.shift(1)
        session = make_session("pending_approval")
        moderation.approve_session(session_id=session.pk, by=alice)

    assert "Once, long ago" in panel_text(moderator, john, "decisions")


def test_bookings_are_counted_listed_and_linked(
    john: User, jane: User, bob: User, alice: User, moderator: Client, make_session: MakeSession
) -> None:
    held = make_session("completed", creator=jane, participants=[john], title="Held")
    make_session("cancelled", creator=jane, participants=[john], title="Off")
    waiting = make_session("approved", creator=jane, requests={john: "pending", bob: "pending"}, title="Waits")
    make_session("approved", creator=jane, requests={john: "rejected"}, title="No")

    text = panel_text(moderator, john, "bookings")

    for words in ("1 pending", "2 approved", "1 rejected", "took part in 1 that was held"):
        assert words in text
    assert session_page(held) in text
    assert "john_doe would like to learn this" in text
    assert "bob_wilson would like" not in text
    panel = panels(john, alice)["bookings"]
    assert panel.count == 4
    links = {label: url for label, _, url in panel.context["statuses"]}
    response = moderator.get(links["pending"])
    assert [(row.user, row.session) for row in response.context["cl"].result_list] == [(john, waiting)]


def test_a_member_without_activity_has_empty_panels(john: User, moderator: Client) -> None:
    assert "They have offered nothing." in panel_text(moderator, john, "sessions")
    assert "Nobody has decided on a session of theirs." in panel_text(moderator, john, "decisions")
    assert "They have asked to join nothing." in panel_text(moderator, john, "bookings")


@pytest.mark.parametrize(
    ("right", "shown"),
    [("view_session", {"sessions"}), ("view_bookingrequest", {"bookings"}), ("view_user", set())],
)
def test_each_panel_needs_the_permission_for_its_rows(
    john: User, make_member: Callable[..., User], right: str, shown: set[str]
) -> None:
    reader = make_member("reader", is_staff=True)
    reader.user_permissions.set(
        Permission.objects.filter(codename=right, content_type__app_label__in=["learning_sessions", "core"])
    )

    assert set(panels(john, reader)) == shown


def test_moderators_do_not_see_decisions_on_their_own_sessions(
    alice: User, victor: User, moderator: Client, make_session: MakeSession
) -> None:
    session = make_session("pending_approval", creator=alice)
    moderation.reject_session(session_id=session.pk, by=victor, reason="Between us moderators")

    assert "decisions" in panels(alice, victor)
    assert "decisions" not in panels(alice, alice)
    text = moderator.get(page_of(alice)).content.decode()
    for secret in ("Between us moderators", "panel-decisions", "panel-history"):
        assert secret not in text
    assert "Between us moderators" not in moderator.get(page_of(victor)).content.decode()
    alice.is_superuser = True
    alice.save()
    assert "Between us moderators" in panel_text(moderator, alice, "decisions")


def test_decisions_are_shown_with_permission_for_the_record_of_facts(
    john: User, make_member: Callable[..., User]
) -> None:
    reader = make_member("reader", is_staff=True)
    reader.user_permissions.set(
        Permission.objects.filter(
            codename__in=["view_session", "view_factrecord"], content_type__app_label__in=["learning_sessions", "core"]
        )
    )

    assert set(panels(john, reader)) == {"sessions", "decisions"}


def test_hostile_titles_and_messages_are_escaped(
    john: User, alice: User, jane: User, moderator: Client, make_session: MakeSession
) -> None:
    session = make_session("pending_approval", title=HOSTILE)
    moderation.reject_session(session_id=session.pk, by=alice, reason=f"{HOSTILE} is none")
    booked = make_session("scheduled", creator=jane, participants=[john], title=f"{HOSTILE} too")
    booked.booking_requests.update(message=f"{HOSTILE} please")

    text = moderator.get(page_of(john)).content.decode()

    assert HOSTILE not in text
    for words in ("", " is none", " too", " please"):
        assert escape(f"{HOSTILE}{words}") in text


def test_the_number_of_queries_is_constant(
    john: User, jane: User, alice: User, moderator: Client, make_session: MakeSession
) -> None:
    def fill(count: int) -> int:
        for _ in range(count):
            decided = make_session("pending_approval")
            moderation.reject_session(session_id=decided.pk, by=alice, reason="No")
            make_session("scheduled", participants=[jane])
            make_session("completed", creator=jane, participants=[john])
        moderator.get(page_of(john))
        with CaptureQueriesContext(connection) as queries:
            assert moderator.get(page_of(john)).status_code == 200
        return len(queries)

    assert fill(2) == fill(15) <= 35
