"""The list of sessions: filters, order and pages."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import NOW, SESSIONS, STATES, error_of, fields_of, path, user_row, z

from modules.sessions.events import MaterialsOfSessions

ROW_KEYS = [
    "id",
    "title",
    "description",
    "subject",
    "level",
    "date",
    "duration",
    "max_participants",
    "creator",
    "status",
    "created_at",
    "updated_at",
    "participant_count",
    "is_full",
    "available_spots",
    "can_join",
    "participants",
    "materials",
    "booking_requests",
]
# What a row says of all members alike.
OF_THE_SESSION = ROW_KEYS[:-3]


def titles(member: Any, query: str = "") -> list[str]:
    response = Api(member).get(f"{SESSIONS}?{query}" if query else SESSIONS)
    assert response.status_code == 200, response.content
    return [row["title"] for row in response.json()["results"]]


def refused(member: Any, query: str) -> list[str]:
    return list(fields_of(Api(member).get(f"{SESSIONS}?{query}")))


# --- Rows -------------------------------------------------------------------------------------------------------


def test_the_list_is_the_documented_page(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane], max_participants=2)

    response = Api(john).get(SESSIONS)

    assert response["Content-Type"] == "application/json"
    assert list(response.json()) == ["count", "next", "previous", "results"]
    [row] = response.json()["results"]
    assert list(row) == ROW_KEYS
    assert response.json() == {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [
            {
                "id": session.pk,
                "title": "Advanced Python Programming",
                "description": "Learn advanced Python concepts",
                "subject": "Programming",
                "level": "advanced",
                "date": "2024-01-15T10:00:00Z",
                "duration": 90,
                "max_participants": 2,
                "creator": user_row(john, email=True),
                "status": "scheduled",
                "created_at": z(session.created_at),
                "updated_at": z(session.updated_at),
                "participant_count": 1,
                "is_full": False,
                "available_spots": 1,
                "can_join": False,
                "participants": [],
                "materials": [],
                "booking_requests": [],
            }
        ],
    }


def test_a_row_says_what_its_detail_says(jane: Any, make_session: Any) -> None:
    for state in STATES:
        make_session(state)

    for row in Api(jane).get(SESSIONS).json()["results"]:
        detail = Api(jane).get(path(row["id"])).json()
        assert {name: row[name] for name in OF_THE_SESSION} == {name: detail[name] for name in OF_THE_SESSION}


def test_a_row_shows_a_participant_themselves_alone(jane: Any, bob: Any, mallory: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[bob, jane], requests={mallory: "pending"})
    session.booking_requests.filter(user=jane).update(role="tutor")
    own = session.booking_requests.get(user=jane)

    [row] = Api(jane).get(SESSIONS).json()["results"]

    assert row["participants"] == [
        {
            "id": own.pk,
            "user": user_row(jane, email=True),
            "role": "tutor",
            "status": "approved",
            "joined_at": z(own.joined_at),
        }
    ]
    assert row["booking_requests"] == Api(jane).get(path(session)).json()["booking_requests"]
    assert [each["user"]["username"] for each in row["booking_requests"]] == ["jane_smith"]


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_a_row_shows_a_requester_their_own_request_alone(
    *, jane: Any, bob: Any, mallory: Any, make_session: Any, status: str
) -> None:
    session = make_session("scheduled", participants=[bob], requests={mallory: "pending", jane: status})
    own = session.booking_requests.get(user=jane)

    [row] = Api(jane).get(SESSIONS).json()["results"]

    assert (row["participants"], row["materials"]) == ([], [])
    assert row["booking_requests"] == [
        {
            "id": own.pk,
            "user": user_row(jane, email=True),
            "message": "jane_smith would like to learn this",
            "status": status,
            "requested_at": z(own.requested_at),
        }
    ]


def test_a_row_shows_nobody_to_those_who_run_the_session_or_are_not_in(
    *, john: Any, alice: Any, jane: Any, bob: Any, mallory: Any, make_session: Any
) -> None:
    make_session("scheduled", participants=[bob], requests={jane: "pending"})

    for member in (john, alice, mallory):
        [row] = Api(member).get(SESSIONS).json()["results"]
        assert (row["participants"], row["materials"], row["booking_requests"]) == ([], [], []), member


def test_a_row_shows_a_moderator_their_own_place_alone(alice: Any, bob: Any, jane: Any, make_session: Any) -> None:
    make_session("scheduled", participants=[bob, alice], requests={jane: "pending"})

    [row] = Api(alice).get(SESSIONS).json()["results"]

    assert [each["user"]["username"] for each in row["participants"]] == ["alice_jones"]
    assert [each["user"]["username"] for each in row["booking_requests"]] == ["alice_jones"]


def test_a_row_has_no_materials_where_there_are_some(jane: Any, make_session: Any, answer: Any) -> None:
    make_session("scheduled", participants=[jane])
    answer(MaterialsOfSessions, lambda question: {pk: [{"id": 1}] for pk in question.audiences})

    [row] = Api(jane).get(SESSIONS).json()["results"]

    assert row["materials"] == []


def test_no_sessions_are_an_empty_first_page(john: Any) -> None:
    assert Api(john).get(SESSIONS).json() == {"count": 0, "next": None, "previous": None, "results": []}


# --- Filters ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_status_narrows_the_list(john: Any, make_session: Any, state: str) -> None:
    for each in STATES:
        make_session(each, title=each)

    assert titles(john, f"status={state}") == [state]


@pytest.mark.parametrize("level", ["beginner", "intermediate", "advanced"])
def test_level_narrows_the_list(john: Any, make_session: Any, level: str) -> None:
    for each in ["beginner", "intermediate", "advanced"]:
        make_session("approved", title=each, level=each)

    assert titles(john, f"level={level}") == [level]


def test_creator_narrows_the_list(john: Any, jane: Any, make_session: Any) -> None:
    make_session("approved", title="John's")
    make_session("approved", title="Jane's", creator=jane)

    assert titles(john, f"creator={jane.pk}") == ["Jane's"]
    assert titles(john, "creator=4711") == []


def test_another_s_hidden_sessions_are_not_found_by_filters(john: Any, jane: Any, make_session: Any) -> None:
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
def test_subject_is_searched_whatever_the_case(john: Any, make_session: Any, searched: str, subject: str) -> None:
    make_session("approved", title="found", subject=subject)
    make_session("approved", title="other", subject="Cooking")

    response = Api(john).get(SESSIONS, {"subject": searched})

    assert [row["title"] for row in response.json()["results"]] == ["found"]


@pytest.mark.parametrize("searched", ["P%n", "P_thon", "%%", "__", "pyth0n", "[a-z]", "Py thon"])
def test_what_the_database_takes_for_a_pattern_is_taken_as_it_is(john: Any, make_session: Any, searched: str) -> None:
    make_session("approved", subject="Python")

    assert Api(john).get(SESSIONS, {"subject": searched}).json()["results"] == []


def test_a_changed_subject_is_found_by_its_new_name(john: Any, make_session: Any) -> None:
    session = make_session("approved", subject="Python")

    Api(john).put(path(session), {"subject": "ÖKOLOGIE"})

    assert titles(john, "subject=python") == []
    assert len(titles(john, "subject=ökologie")) == 1


def test_filters_narrow_together(john: Any, make_session: Any) -> None:
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
def test_an_empty_value_is_no_filter(john: Any, make_session: Any, empty: str) -> None:
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
def test_several_states_or_levels_mean_any_of_them(john: Any, make_session: Any, query: str, found: list[str]) -> None:
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


# --- Bounds of the date -----------------------------------------------------------------------------------------


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
def test_a_plain_day_is_a_day_in_utc_from_its_first_second_to_its_last(
    make_member: Any, make_session: Any, start: str
) -> None:
    make_session("approved", date=start)
    member = make_member(timezone="Pacific/Kiritimati")

    assert len(titles(member, "date_from=2024-01-15&date_to=2024-01-15")) == 1
    assert titles(member, "date_to=2024-01-14") == titles(member, "date_from=2024-01-16") == []


# --- Order ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["late", "twin two", "twin one", "early"]),
        ("ordering=-date", ["late", "twin two", "twin one", "early"]),
        ("ordering=date", ["early", "twin one", "twin two", "late"]),
        ("ordering=created_at", ["late", "twin one", "twin two", "early"]),
        ("ordering=-created_at", ["early", "twin two", "twin one", "late"]),
    ],
)
def test_the_latest_start_comes_first_unless_told_otherwise(
    john: Any, make_session: Any, query: str, expected: list[str]
) -> None:
    for title, day, created in [("late", 9, 9), ("twin one", 5, 5), ("early", 1, 1), ("twin two", 5, 5)]:
        make_session("approved", title=title, date=NOW + timedelta(days=day), created_at=NOW - timedelta(days=created))

    assert titles(john, query) == expected


# --- Pages ------------------------------------------------------------------------------------------------------


def test_a_page_has_twenty_unless_told_otherwise(john: Any, make_session: Any) -> None:
    for number in range(21):
        make_session("approved", title=str(number), date=NOW + timedelta(days=number))

    first = Api(john).get(SESSIONS).json()
    second = Api(john).get(first["next"]).json()

    assert (first["count"], len(first["results"]), first["previous"]) == (21, 20, None)
    assert first["next"] == "http://testserver/api/sessions/?page=2"
    assert (second["count"], [row["title"] for row in second["results"]], second["next"]) == (21, ["0"], None)
    assert second["previous"] == "http://testserver/api/sessions/?page=1"


def test_a_page_has_a_hundred_at_most(john: Any, make_session: Any) -> None:
    make_session("approved")

    assert len(titles(john, "page_size=100")) == 1
    assert refused(john, "page_size=101") == ["page_size"]


def test_links_keep_every_other_parameter(john: Any, make_session: Any) -> None:
    for _ in range(3):
        make_session("approved", subject="C++ & more")
    query = "subject=c%2B%2B+%26&date_from=2024-01-01T00:00:00+05:00&page_size=1&colour=green&page=2&colour=blue"

    page = Api(john).get(f"{SESSIONS}?{query}").json()

    for link, number in [(page["next"], "3"), (page["previous"], "1")]:
        parts = urlsplit(link)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "http://testserver/api/sessions/"
        assert parse_qs(parts.query) == parse_qs(query) | {"page": [number]}
        assert Api(john).get(link).json()["count"] == 3


def test_the_links_lead_through_all_of_it_once(john: Any, make_session: Any) -> None:
    made = {make_session("approved").pk for _ in range(7)}
    found: list[int] = []
    address: str | None = f"{SESSIONS}?page_size=2"

    while address:
        page = Api(john).get(address).json()
        found += [row["id"] for row in page["results"]]
        address = page["next"]

    assert len(found) == 7
    assert set(found) == made


@pytest.mark.parametrize("page", ["2", "3", "1000000", "2147483648", "9223372036854775808", "9" * 40])
def test_a_page_past_the_end_is_not_there(john: Any, make_session: Any, page: str) -> None:
    make_session("approved")

    error_of(Api(john).get(f"{SESSIONS}?page={page}"), 404)


def test_a_full_last_page_has_no_next(john: Any, make_session: Any) -> None:
    for _ in range(4):
        make_session("approved")

    page = Api(john).get(f"{SESSIONS}?page_size=2&page=2").json()

    assert (len(page["results"]), page["next"]) == (2, None)
    error_of(Api(john).get(f"{SESSIONS}?page_size=2&page=3"), 404)


def test_of_a_session_that_is_due_the_list_says_what_the_worker_has_written(
    john: Any, mallory: Any, make_session: Any, clock: Any
) -> None:
    session = make_session("approved")
    clock.move_to(z(session.date), tick=False)

    [row] = Api(mallory).get(SESSIONS).json()["results"]

    # Reading moves nothing; but nobody is promised a place in what has begun.
    assert (row["status"], row["can_join"]) == ("approved", False)
