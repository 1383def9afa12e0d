"""The dialog for decisions on many sessions, and the evidence and reasons that it shows."""

from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from model_bakery import baker
from tests.conftest import Api
from tests.modules.sessions.conftest import MakeSession, facts, join, path
from tests.modules.sessions.portal import (
    carry_out,
    decide,
    fields_of_dialog,
    messages_of,
    open_decision,
)
from tests.portal import log_in

from core.accounts.models import User
from core.facts.models import FactRecord
from modules.sessions.models import DecisionLease, ReasonTemplate, Session


def test_several_sessions_are_approved_and_each_outcome_reported(moderator: Client, make_session: MakeSession) -> None:
    first = make_session("pending_approval", title="First")
    second = make_session("pending_approval", title="Second")
    fields = fields_of_dialog(open_decision(moderator, "approve", first, second))
    second.status, second.decided_at = "cancelled", second.created_at
    second.save()
    answer = moderator.get(carry_out(moderator, fields)["HX-Redirect"])
    assert messages_of(answer) == [
        "First was approved.",
        "Second: This session is cancelled already: it waits for no decision.",
    ]
    second.refresh_from_db()
    assert second.status == "cancelled"
    assert facts() == ["SessionApproved"]


def test_several_sessions_are_rejected_with_one_reason(moderator: Client, make_session: MakeSession) -> None:
    sessions = [make_session("pending_approval", title=f"No {number}") for number in range(3)]
    answer = decide(moderator, "reject", *sessions, reason="Twice the same")
    assert messages_of(answer) == ["No 0 was rejected.", "No 1 was rejected.", "No 2 was rejected."]
    assert {session.status for session in Session.objects.all()} == {"cancelled"}
    assert facts() == ["SessionRejected"] * 3
    assert set(FactRecord.objects.values_list("reason", flat=True)) == {"Twice the same"}


def test_the_dialog_says_which_sessions_cannot_be_decided(
    moderator: Client, alice: User, make_session: MakeSession
) -> None:
    waiting, own = make_session("pending_approval"), make_session("pending_approval", creator=alice, title="Mine")
    decided = make_session("approved", title="Long ago")
    answer = open_decision(moderator, "approve", waiting, own, decided)
    refusals = {row["candidate"].session.title: row["candidate"].refusal for row in answer.context["rows"]}
    assert refusals == {
        "Advanced Python Programming": "",
        "Mine": "Nobody moderates a session of their own.",
        "Long ago": "This session is approved already: it waits for no decision.",
    }
    assert [lease.session for lease in DecisionLease.objects.all()] == [waiting]


def test_at_most_a_page_of_sessions_is_decided_at_once(moderator: Client, make_session: MakeSession) -> None:
    sessions = [make_session("pending_approval") for _ in range(51)]
    answer = open_decision(moderator, "approve", *sessions)
    assert messages_of(moderator.get(answer["HX-Redirect"])) == ["Decide on at most 50 sessions at once."]
    assert not DecisionLease.objects.exists()


def test_reason_templates_come_from_the_database(moderator: Client, make_session: MakeSession) -> None:
    ReasonTemplate.objects.all().delete()
    baker.make(ReasonTemplate, title="Second", text="Because of the second", rank=2)
    baker.make(ReasonTemplate, title="First", text='Because of "the first" <3', rank=1)
    html = open_decision(moderator, "reject", make_session("pending_approval")).content.decode()
    assert '<option value="Because of &quot;the first&quot; &lt;3">First</option>' in html
    assert html.index(">First<") < html.index(">Second<")


def test_migrations_create_reason_templates(db: None) -> None:
    assert ReasonTemplate.objects.count() == 6


def test_only_superusers_edit_reason_templates(moderator: Client, root: User) -> None:
    template = ReasonTemplate.objects.first()
    assert template is not None
    address = f"/admin/learning_sessions/reasontemplate/{template.pk}/change/"
    form = {"title": "Changed", "text": "Another text", "rank": "7"}
    assert moderator.post(address, form).status_code == 403
    assert moderator.get("/admin/learning_sessions/reasontemplate/").status_code == 403
    assert log_in(root).post(address, form).status_code == 302
    template.refresh_from_db()
    assert (template.title, template.text, template.rank) == ("Changed", "Another text", 7)


def test_the_dialog_shows_the_evidence(
    moderator: Client, alice: User, john: User, bob: User, make_session: MakeSession, api_of: Callable[..., Api]
) -> None:
    earlier = make_session("pending_approval", title="Earlier <one>")
    decide(moderator, "reject", earlier, reason="Says <too> little")
    session = make_session("pending_approval", title="To decide")
    make_session("approved", title="Offered at the same time", date=session.date + timedelta(minutes=60))
    attended = make_session("approved", title="Attended then", creator=bob, date=session.date)
    attended.participant_count = 1
    attended.save()
    join(attended, john, "approved")
    make_session("approved", title="Right after", date=session.ends_at)
    make_session("cancelled", title="Off", date=session.date)
    assert api_of(john).put(path(session), {"description": "Now with more words"}).status_code == 200

    evidence = open_decision(moderator, "reject", session).context["rows"][0]["evidence"]

    assert (evidence["history"].held, evidence["history"].rejected, evidence["history"].cancelled) == (0, 1, 0)
    (decision,) = evidence["decisions"]
    assert (decision.title, decision.approved, decision.by, decision.reason) == (
        "Earlier <one>",
        False,
        "Alice Jones",
        "Says <too> little",
    )
    assert {(clash.session.title, clash.offers) for clash in evidence["clashes"]} == {
        ("Offered at the same time", True),
        ("Attended then", False),
    }
    (difference,) = evidence["differences"]
    assert (difference.label, difference.before, difference.after) == (
        "Description",
        "Learn advanced Python concepts",
        "Now with more words",
    )


def test_texts_of_members_are_escaped(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval", title="<script>1</script>", description="<img src=x onerror=1>")
    for decision in ("approve", "reject"):
        html = open_decision(moderator, decision, session).content.decode()
        assert "<script>1" not in html
        assert "<img" not in html


def test_a_dialog_takes_a_constant_number_of_queries(moderator: Client, make_session: MakeSession) -> None:
    counts = []
    for number in (2, 15):
        session = make_session("pending_approval", title="This one")
        for _ in range(number):
            decide(moderator, "reject", make_session("pending_approval"), reason="No")
            make_session("approved", date=session.date)
        with CaptureQueriesContext(connection) as queries:
            open_decision(moderator, "reject", session)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_evidence_of_several_sessions_is_loaded_together(
    moderator: Client, john: User, bob: User, make_session: MakeSession
) -> None:
    decide(moderator, "reject", make_session("pending_approval"), reason="No")
    one, other = make_session("pending_approval", title="One"), make_session("pending_approval", creator=bob)
    make_session("approved", title="At the same time", date=one.date)
    html = open_decision(moderator, "approve", one, other).content.decode()
    assert "Creator so far: 0 held, 1 rejected, 0 cancelled." in html
    assert "Creator so far: 0 held, 0 rejected, 0 cancelled." in html
    assert html.count("Overlaps with At the same time.") == 1
