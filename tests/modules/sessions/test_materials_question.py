"""The question about the materials of sessions, with answers of the test's own."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import NOW, SESSIONS, path

from core.accounts.presentation import EmailAudience
from modules.sessions.events import MaterialsOfSessions

ROW = {"id": 7, "title": "Python Basics"}


@pytest.fixture
def asked(answer: Any) -> list[MaterialsOfSessions]:
    """All questions that were asked; each is answered with one material for each session."""
    questions: list[MaterialsOfSessions] = []

    def share(question: MaterialsOfSessions) -> dict[int, list[Any]]:
        questions.append(question)
        return {session_id: [ROW] for session_id in question.audiences}

    answer(MaterialsOfSessions, share)
    return questions


def test_creator_participants_and_moderators_get_materials_in_a_detail(
    *, asked: Any, john: Any, jane: Any, alice: Any, make_session: Any
) -> None:
    session = make_session("scheduled", participants=[jane])

    for member in (john, jane, alice):
        assert Api(member).get(path(session)).json()["materials"] == [ROW]
    assert [question.origin for question in asked] == ["http://testserver"] * 3


def test_materials_are_not_asked_for_others(
    *, asked: Any, jane: Any, bob: Any, mallory: Any, make_session: Any
) -> None:
    session = make_session("scheduled", requests={jane: "pending", bob: "rejected"})

    for member in (jane, bob, mallory):
        assert Api(member).get(path(session)).json()["materials"] == []
    assert asked == []


def test_the_question_has_the_email_audiences(*, asked: Any, john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])

    Api(john).get(path(session))
    Api(jane).get(path(session))

    assert [question.audiences for question in asked] == [
        {session.pk: EmailAudience(viewer_id=john.pk, others=frozenset({john.pk, jane.pk}))},
        {session.pk: EmailAudience(viewer_id=jane.pk, others=frozenset({john.pk}))},
    ]


def test_my_sessions_asks_once_for_all_sessions(*, asked: Any, jane: Any, make_session: Any) -> None:
    sessions = [
        make_session("scheduled", participants=[jane]),
        make_session("completed", participants=[jane], hidden_at=NOW),
        make_session("approved", creator=jane),
    ]
    make_session("approved", requests={jane: "pending"})

    shown = Api(jane).get(f"{SESSIONS}my_sessions/").json()

    [question] = asked
    assert set(question.audiences) == {session.pk for session in sessions}
    assert [row["materials"] for row in [*shown["created"], *shown["joined"]]] == [[ROW]] * 3


def test_former_participants_get_no_materials(asked: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])

    assert Api(jane).post(path(session, "leave/")).json()["materials"] == []
    assert asked == []


def test_the_list_asks_for_no_materials(asked: Any, john: Any, make_session: Any) -> None:
    make_session("approved")

    Api(john).get(SESSIONS)

    assert asked == []
