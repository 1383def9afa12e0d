"""The filters of the list."""

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import NOW, SESSIONS, STATES, path
from tests.modules.sessions.session_list.conftest import refused, titles


@pytest.mark.parametrize("state", STATES)
def test_sessions_are_filtered_by_status(john: Any, make_session: Any, state: str) -> None:
    for each in STATES:
        make_session(each, title=each)

    assert titles(john, f"status={state}") == [state]


@pytest.mark.parametrize("level", ["beginner", "intermediate", "advanced"])
def test_sessions_are_filtered_by_level(john: Any, make_session: Any, level: str) -> None:
    for each in ["beginner", "intermediate", "advanced"]:
        make_session("approved", title=each, level=each)

    assert titles(john, f"level={level}") == [level]


def test_sessions_are_filtered_by_creator(john: Any, jane: Any, make_session: Any) -> None:
    make_session("approved", title="John's")
    make_session("approved", title="Jane's", creator=jane)

    assert titles(john, f"creator={jane.pk}") == ["Jane's"]
    assert titles(john, "creator=4711") == []


def test_filters_do_not_reveal_hidden_sessions(john: Any, jane: Any, make_session: Any) -> None:
    make_session("pending_approval")
    make_session("approved", hidden_at=NOW)

    for query in [f"creator={john.pk}", "status=pending_approval", "subject=programming", "date_from=2024-01-01"]:
        assert titles(jane, query) == []


@pytest.mark.parametrize(
    ("searched", "subject"),
    [
        ("python", "Python"),
        ("PYTHON", "python for all"),
        ("thon", "Python"),
        ("größe", "GRÖSSE"),
        ("GRÖSSE", "größe"),
        ("strasse", "Straßenbau"),
        ("ÉCOLE", "école"),
        ("физика", "ФИЗИКА"),
        ("ΣΊΣΥΦΟΣ", "Σίσυφος"),
        ("i̇stanbul", "İstanbul"),
        ("数学", "数学入門"),
        ("100%", "100% cotton"),
        ("%", "100% cotton"),
        ("_", "snake_case"),
        ("e_c", "snake_case"),
        ("\\", "back\\slash"),
        ("'; --", "it'; -- over"),
        ('"', 'a "quoted" word'),
        ("c++", "C++"),
        ("two words", "two words"),
    ],
)
def test_the_subject_is_searched_case_insensitively(john: Any, make_session: Any, searched: str, subject: str) -> None:
    make_session("approved", title="found", subject=subject)
    make_session("approved", title="other", subject="Cooking")

    response = Api(john).get(SESSIONS, {"subject": searched})

    assert [row["title"] for row in response.json()["results"]] == ["found"]


@pytest.mark.parametrize("searched", ["P%n", "P_thon", "%%", "__", "pyth0n", "[a-z]", "Py thon"])
def test_wildcards_of_the_database_are_escaped(john: Any, make_session: Any, searched: str) -> None:
    make_session("approved", subject="Python")

    assert Api(john).get(SESSIONS, {"subject": searched}).json()["results"] == []


def test_a_changed_subject_is_found_by_its_new_name(john: Any, make_session: Any) -> None:
    session = make_session("approved", subject="Python")

    Api(john).put(path(session), {"subject": "ÖKOLOGIE"})

    assert titles(john, "subject=python") == []
    assert len(titles(john, "subject=ökologie")) == 1


def test_filters_are_combined(john: Any, make_session: Any) -> None:
    make_session("approved", title="both", level="beginner", subject="Python")
    make_session("approved", title="level alone", level="beginner")
    make_session("cancelled", title="subject alone", level="beginner", subject="Python")

    assert titles(john, "level=beginner&subject=PYTHON&status=approved") == ["both"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("status", ["open", "Approved", "approved,scheduled", "pending", "null"]),
        ("level", ["expert", "BEGINNER", "1"]),
        ("creator", ["john_doe", "1.5", "1_0", "9223372036854775808", "1%20or%201", "null", "-1"]),
        ("date_from", ["soon", "2024-02-30", "2024-01-15T14:00", "15.01.2024", "1705345200", "2024-W03"]),
        ("date_to", ["soon", "2024-13-01", "2024-01-15T25:00:00Z", "2024-01-15T14:00:00", "null"]),
        ("ordering", ["title", "id", "--date", "date,created_at", "-", "creator__password"]),
        ("page", ["0", "-1", "1.5", "1_0", "last"]),
        ("page_size", ["0", "-1", "1_0", "101", "1000000", "all"]),
    ],
)
def test_an_unknown_value_is_refused_by_name_and_never_ignored(john: Any, name: str, values: list[str]) -> None:
    for value in values:
        assert refused(john, f"{name}={value}") == [name], value


@pytest.mark.parametrize("empty", ["", "%20", "%09+%E2%80%83", "%E2%80%8B", "%EF%BB%BF%E2%A0%80"])
def test_an_empty_value_does_not_filter(john: Any, make_session: Any, empty: str) -> None:
    for number, state in enumerate(STATES):
        make_session(state, title=state, date=NOW + timedelta(days=number))
    names = ["status", "subject", "level", "creator", "date_from", "date_to", "ordering", "page", "page_size"]

    for query in [*(f"{name}={empty}" for name in names), "&".join(f"{name}={empty}" for name in names), "status&page"]:
        assert titles(john, query) == STATES[::-1], query


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=approved&status=scheduled", ["approved", "scheduled"]),
        ("status=scheduled&status=approved&status=approved", ["approved", "scheduled"]),
        ("status=approved&status=&status=scheduled&status=%20", ["approved", "scheduled"]),
        ("status=&status=", STATES),
        ("&".join(f"status={state}" for state in STATES), STATES),
        ("status=expired&status=cancelled&level=beginner&level=advanced", ["cancelled", "expired"]),
        ("status=expired&level=beginner&level=intermediate", []),
        ("level=advanced&level=beginner", STATES),
    ],
)
def test_several_values_are_alternatives(john: Any, make_session: Any, query: str, found: list[str]) -> None:
    for state in STATES:
        make_session(state, title=state)

    assert sorted(titles(john, query)) == sorted(found)


@pytest.mark.parametrize("query", ["status=approved&status=open", "level=expert&level=beginner"])
def test_an_unknown_one_of_several_is_refused_by_name(john: Any, query: str) -> None:
    assert refused(john, query) == [query.partition("=")[0]]


def test_links_keep_several_values(john: Any, make_session: Any) -> None:
    for state in ["approved", "approved", "completed", "expired"]:
        make_session(state)
    query = "status=approved&status=completed&level=advanced&level=beginner&page_size=2"

    first = Api(john).get(f"{SESSIONS}?{query}").json()
    second = Api(john).get(first["next"]).json()

    assert first["next"] == f"http://testserver/api/sessions/?{query}&page=2"
    assert (first["count"], second["count"], len(second["results"])) == (3, 3, 1)
    assert second["previous"] == f"http://testserver/api/sessions/?{query}&page=1"


def test_a_nul_is_refused_by_name(john: Any) -> None:
    for name in ["status", "subject", "level", "creator", "date_from", "date_to", "ordering"]:
        assert refused(john, f"{name}=%00") == [name]


def test_unknown_parameters_are_ignored(john: Any, make_session: Any) -> None:
    make_session("approved")

    assert len(titles(john, "colour=green&_=1705345200&limit=0")) == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        # Instants are inclusive.
        ("date_from=2024-01-15T10:00:00Z", True),
        ("date_from=2024-01-15T10:00:01Z", False),
        ("date_to=2024-01-15T10:00:00Z", True),
        ("date_to=2024-01-15T09:59:59Z", False),
        ("date_from=2024-01-15T10:00:00Z&date_to=2024-01-15T10:00:00Z", True),
        ("date_from=2024-01-15T10:00:00.001Z", False),
        ("date_to=2024-01-15T10:00:00.999Z", True),
        # A plain day begins at midnight and is included whole.
        ("date_from=2024-01-15", True),
        ("date_from=2024-01-16", False),
        ("date_to=2024-01-15", True),
        ("date_to=2024-01-14", False),
        ("date_from=2024-01-15&date_to=2024-01-15", True),
        ("date_from=2024-01-16&date_to=2024-01-14", False),
        # A raw plus arrives as a space.
        ("date_from=2024-01-15T15:00:00+05:00", True),
        ("date_from=2024-01-15T15:00:01+05:00", False),
        ("date_to=2024-01-15T15:00:00+05:00", True),
        ("date_to=2024-01-15T14:59:59+05:00", False),
        ("date_from=2024-01-15T15:00:00%2B05:00", True),
        ("date_from=2024-01-15T15:00:00+0500", True),
        ("date_from=2024-01-15T05:00:00-05:00", True),
        ("date_from=2024-01-15T05:00:01-05:00", False),
        ("date_from=2024-01-15%2010:00:00Z", True),
        ("date_from=0001-01-01&date_to=9999-12-31", True),
        ("date_from=0001-01-01T00:00:00Z&date_to=9999-12-31T23:59:59Z", True),
    ],
)
def test_bounds_are_inclusive(john: Any, make_session: Any, query: str, found: bool) -> None:
    make_session("approved", date="2024-01-15T10:00:00Z")

    assert bool(titles(john, query)) is found


@pytest.mark.parametrize("start", ["2024-01-15T00:00:00Z", "2024-01-15T23:59:59Z"])
def test_a_plain_day_is_a_whole_day_in_utc(make_member: Any, make_session: Any, start: str) -> None:
    make_session("approved", date=start)
    member = make_member(timezone="Pacific/Kiritimati")

    assert len(titles(member, "date_from=2024-01-15&date_to=2024-01-15")) == 1
    assert titles(member, "date_to=2024-01-14") == titles(member, "date_from=2024-01-16") == []
