"""Invalid input of the decision dialog."""

import pytest
from django.test import Client
from tests.modules.sessions.conftest import MakeSession, nothing_changes
from tests.modules.sessions.portal import (
    DECISIONS,
    LIST,
    carry_out,
    fields_of_dialog,
    messages_of,
    open_decision,
    page,
)


def test_a_moderator_changes_no_field_and_deletes_nothing(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("approved")
    with nothing_changes():
        assert moderator.post(page(session), {"title": "Mine"}).status_code in {403, 405}
        assert moderator.post(f"{LIST}{session.pk}/delete/", {"post": "yes"}).status_code == 403
        assert moderator.get(f"{LIST}add/").status_code == 403


def test_a_version_for_an_id_with_leading_zeros_is_ignored(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    assert carry_out(moderator, {"decision": "approve", f"version_00{session.pk}": "0"}).status_code == 204
    session.refresh_from_db()
    assert session.status == "approved"


def test_a_version_from_the_future_is_refused(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    with nothing_changes():
        answer = carry_out(moderator, {"decision": "approve", f"version_{session.pk}": "999"})
    assert answer.status_code == 200
    (row,) = answer.context["rows"]
    assert row["candidate"].session.content_version == 0


def test_deleted_sessions_of_a_selection_are_reported(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval", title="Knots")
    chosen = [session.pk, 999998, 999999]
    answer = moderator.post(f"{DECISIONS}open/", {"decision": "approve", "_selected_action": chosen})
    assert [row["candidate"].session for row in answer.context["rows"]] == [session]
    assert "2 sessions that were chosen are no longer there: they have been deleted." in answer.text


@pytest.mark.parametrize("back", ["/admin/\r\nX-Evil: yes", "//evil.example/admin/", "https://evil.example/admin/"])
def test_an_invalid_back_url_is_replaced_by_the_list(back: str, moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "approve", session))
    answer = carry_out(moderator, {**fields, "back": back})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, LIST)


def test_a_deleted_session_cannot_be_opened(moderator: Client) -> None:
    answer = moderator.post(f"{DECISIONS}open/", {"decision": "approve", "_selected_action": "999999"})
    assert messages_of(moderator.get(answer["Location"])) == [
        "A session that was chosen is no longer there: it has been deleted."
    ]
