"""The dialogs that deactivate and reactivate a member."""

from collections.abc import Callable
from html import escape
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from tests.core.admin.member_pages.arrangements import build_url
from tests.core.conftest import is_active
from tests.portal import log_in
from tests.threads import run_concurrently

from core.accounts.deactivation import deactivate_member
from core.accounts.events import Consequence, ConsequencesAsked
from core.accounts.models import User
from core.facts.models import FactRecord
from core.mail.models import Mail

HOSTILE = "<script>alert(1)</script>"
STEPS = ("deactivate", "reactivate")
CONFIRMED = {"confirming": "yes", "reason": "Spam", "told": "Gone.", "read": ""}

Answer = Callable[[type[Any], Callable[[Any], Any]], None]


def post(by: User | None, step: str, member: User, values: dict[str, str] | None = None) -> Any:
    """Post as dialogs.js does."""
    return log_in(by).post(build_url(step, member), values or {}, headers={"HX-Request": "true"})


def get_page_url(member: User) -> str:
    return reverse("admin:core_user_change", args=[member.pk])


def list_facts() -> list[tuple[str, int, int, str, Any]]:
    rows = FactRecord.objects.order_by("pk")
    return list(rows.values_list("name", "member_id", "actor_id", "reason", "payload__told"))


def list_messages(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


@pytest.fixture
def consequences(answer: Answer) -> list[Consequence]:
    """The consequences of a deactivation, to which tests add."""
    found: list[Consequence] = []
    answer(ConsequencesAsked, lambda question: list(found))
    return found


def three_sessions(count: int = 3) -> Consequence:
    return Consequence(key="sessions", count=count, text=f"{count} sessions of theirs are cancelled")


# --- The dialog ---------------------------------------------------------------------------------------------------


def test_opening_the_dialog_shows_the_consequences_and_changes_nothing(
    john: User, morgan: User, consequences: list[Consequence]
) -> None:
    consequences.append(three_sessions())

    response = post(morgan, "deactivate", john)

    text = response.content.decode()
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert "Deactivate John Doe" in text
    assert "3 sessions of theirs are cancelled" in text
    assert "The account of its creator was deactivated." in text
    assert 'name="read" value="sessions=3"' in text
    assert is_active(john)
    assert list_facts() == []


def test_without_consequences_no_explanation_for_others_is_needed(
    john: User, morgan: User, consequences: list[Consequence]
) -> None:
    text = post(morgan, "deactivate", john).content.decode()

    assert "They offer nothing that is to come, and take part in nothing." in text
    assert 'name="told"' not in text


def test_confirming_deactivates_the_member_and_shows_a_message(
    john: User, morgan: User, consequences: list[Consequence]
) -> None:
    response = post(morgan, "deactivate", john, CONFIRMED | {"reason": " Spam ", "told": ""})

    assert (response.status_code, response["HX-Redirect"]) == (204, get_page_url(john))
    assert list_messages(response) == ["John Doe is deactivated."]
    assert not is_active(john)
    assert list_facts() == [("accounts.MemberDeactivated", john.pk, morgan.pk, "Spam", "")]


def test_without_javascript_the_response_is_a_redirect(
    john: User, morgan: User, consequences: list[Consequence]
) -> None:
    response = log_in(morgan).post(build_url("deactivate", john), CONFIRMED)

    assert (response.status_code, response["Location"]) == (302, get_page_url(john))
    assert not is_active(john)


def test_the_explanation_for_others_is_published(john: User, morgan: User, consequences: list[Consequence]) -> None:
    consequences.append(three_sessions())

    post(morgan, "deactivate", john, CONFIRMED | {"read": "sessions=3", "reason": "Threats", "told": "Gone."})

    assert list_facts() == [("accounts.MemberDeactivated", john.pk, morgan.pk, "Threats", "Gone.")]


@pytest.mark.parametrize(("field", "message"), [("reason", "Say why"), ("told", "Say what others read")])
@pytest.mark.parametrize("value", ["", "  \n", "x" * 1001])
def test_missing_or_too_long_texts_are_rejected(
    *, john: User, morgan: User, consequences: list[Consequence], field: str, message: str, value: str
) -> None:
    consequences.append(three_sessions())
    typed = {"reason": "Spam of all kinds", "told": "They are gone."} | {field: value}

    response = post(morgan, "deactivate", john, CONFIRMED | {"read": "sessions=3"} | typed)

    text = response.content.decode()
    assert response.status_code == 200
    assert message in text if not value.strip() else "at most 1000 characters" in text
    assert 'aria-invalid="true"' in text
    assert "They are gone." in text if field == "reason" else "Spam of all kinds" in text
    assert is_active(john)
    assert list_facts() == []


@pytest.mark.parametrize("read", ["sessions=2", "", "sessions=3 places=1", "sessions=3\x00"])
def test_changed_consequences_are_shown_before_deactivating(
    john: User, morgan: User, consequences: list[Consequence], read: str
) -> None:
    consequences.append(three_sessions())

    response = post(morgan, "deactivate", john, CONFIRMED | {"read": read, "reason": "Spam of all kinds"})

    text = response.content.decode()
    assert response.status_code == 200
    assert "What comes of it has changed while you read it." in text
    assert "3 sessions of theirs are cancelled" in text
    assert 'name="read" value="sessions=3"' in text
    assert "Spam of all kinds" in text
    assert is_active(john)
    assert list_facts() == []


def test_unchanged_consequences_need_no_second_confirmation(
    john: User, morgan: User, consequences: list[Consequence]
) -> None:
    consequences += [three_sessions(), Consequence(key="people", count=1, text="1 member is told")]

    post(morgan, "deactivate", john, CONFIRMED | {"read": "sessions=3 people=1"})

    assert not is_active(john)


def test_a_second_deactivation_says_who_was_first(john: User, morgan: User, root: User) -> None:
    deactivate_member(member_id=john.pk, by=root, reason="Threats")

    for values in ({}, CONFIRMED):
        response = post(morgan, "deactivate", john, values)

        assert response["HX-Redirect"] == get_page_url(john)
        assert list_messages(response) == ["root deactivated John Doe, just now. The reason: Threats"]
    assert len(list_facts()) == 1


def test_a_deactivated_moderator_is_logged_out_of_the_admin(morgan: User, root: User) -> None:
    client = log_in(morgan)
    assert client.get("/admin/").status_code == 200

    post(root, "deactivate", morgan, CONFIRMED)

    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    post(root, "reactivate", morgan, CONFIRMED)
    assert client.get("/admin/")["Location"].startswith("/admin/login/")


def test_a_member_is_reactivated(john: User, morgan: User, root: User) -> None:
    deactivate_member(member_id=john.pk, by=root, reason="Threats")

    text = post(morgan, "reactivate", john).content.decode()
    assert "Reactivate John Doe" in text
    assert not is_active(john)
    response = post(morgan, "reactivate", john, {"confirming": "yes", "reason": "It was somebody else."})

    assert list_messages(response) == ["John Doe is active again."]
    assert is_active(john)
    assert list_facts()[-1] == ("accounts.MemberReactivated", john.pk, morgan.pk, "It was somebody else.", None)


def test_an_active_member_is_not_reactivated(john: User, morgan: User) -> None:
    response = post(morgan, "reactivate", john, {"confirming": "yes"})

    assert list_messages(response) == ["John Doe is active already."]
    assert list_facts() == []


def test_a_too_long_reason_is_rejected(john: User, morgan: User, root: User) -> None:
    deactivate_member(member_id=john.pk, by=root, reason="Threats")

    response = post(morgan, "reactivate", john, {"confirming": "yes", "reason": "x" * 1001})

    assert "at most 1000 characters" in response.content.decode()
    assert not is_active(john)


def test_names_and_reasons_are_escaped(
    make_member: Callable[..., User], morgan: User, consequences: list[Consequence]
) -> None:
    mallory = make_member("mallory", first_name=HOSTILE, last_name='"><img src=x>')
    consequences.append(three_sessions())

    answers = [
        post(morgan, "deactivate", mallory),
        post(morgan, "deactivate", mallory, CONFIRMED | {"reason": HOSTILE, "told": f'"{HOSTILE}'}),
    ]
    post(morgan, "deactivate", mallory, CONFIRMED | {"reason": HOSTILE, "told": HOSTILE, "read": "sessions=3"})
    answers.append(post(morgan, "reactivate", mallory))
    answers.append(log_in(morgan).get(get_page_url(mallory)))

    assert not is_active(mallory)
    for response in answers:
        text = response.content.decode()
        assert HOSTILE not in text
        assert "<img src=x>" not in text
        assert escape(HOSTILE) in text


# --- Permissions --------------------------------------------------------------------------------------------------


@pytest.fixture
def people(make_member: Callable[..., User], morgan: User, root: User, jane: User) -> dict[str, User | None]:
    """Members with different permissions, as actors and as targets."""
    reader = make_member("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_user"))
    outside = make_member("outside")
    outside.groups.set(morgan.groups.all())
    return {
        "a stranger": None,
        "a member": jane,
        "staff without rights": make_member("clerk", is_staff=True),
        "staff who may read": reader,
        "a moderator who is no staff": outside,
        "a moderator": morgan,
        "a superuser": root,
        "another superuser": make_member("owner", is_superuser=True),
    }


SENT_AWAY = [("a stranger", "a member"), ("a member", "a moderator"), ("a moderator who is no staff", "a member")]
REFUSED = [
    ("staff without rights", "a member"),
    ("staff who may read", "a member"),
    ("a moderator", "a moderator"),
    ("a moderator", "staff without rights"),
    ("a moderator", "a superuser"),
    ("a moderator", "another superuser"),
    ("a superuser", "a superuser"),
]
ALLOWED = [
    ("a moderator", "a member"),
    ("a moderator", "a moderator who is no staff"),
    ("a superuser", "a moderator"),
    ("a superuser", "another superuser"),
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("who", "whom"), [*SENT_AWAY, *REFUSED])
def test_the_dialogs_need_permission(people: dict[str, User], step: str, who: str, whom: str) -> None:
    by, member = people[who], people[whom]
    active = step == "deactivate"
    User.objects.filter(pk=member.pk).exclude(pk=by.pk if by else 0).update(is_active=active)
    before = is_active(member)

    for values in ({}, CONFIRMED):
        response = post(by, step, member, values)

        assert response.status_code == (302 if (who, whom) in SENT_AWAY else 403)
        assert response.get("Location", "/admin/login/").startswith("/admin/login/")
    assert is_active(member) == before
    assert list_facts() == []
    assert not Mail.objects.exists()


@pytest.mark.parametrize(("who", "whom"), ALLOWED)
def test_members_with_permission_deactivate_and_reactivate(people: dict[str, User], who: str, whom: str) -> None:
    by, member = people[who], people[whom]

    for step, after in (("deactivate", False), ("reactivate", True)):
        assert post(by, step, member).status_code == 200
        assert post(by, step, member, CONFIRMED).status_code == 204
        assert is_active(member) == after


@pytest.mark.parametrize("step", STEPS)
def test_get_requests_are_rejected(john: User, root: User, step: str) -> None:
    response = log_in(root).get(build_url(step, john), CONFIRMED)

    assert response.status_code == 405
    assert list_facts() == []


@pytest.mark.parametrize("step", STEPS)
def test_requests_without_a_csrf_token_are_rejected(john: User, root: User, step: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(root)

    assert client.post(build_url(step, john), CONFIRMED).status_code == 403
    assert list_facts() == []


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("member_id", [0, 10**6, 10**30])
def test_an_unknown_member_is_a_404(people: dict[str, User], step: str, member_id: int) -> None:
    path = f"/admin/core/user/{member_id}/{step}/"

    assert log_in(people["a moderator"]).post(path, CONFIRMED).status_code == 404
    assert log_in(people["staff without rights"]).post(path, CONFIRMED).status_code == 403


BUTTONS = {
    ("a moderator", "a member"): {"deactivate"},
    ("a moderator", "a moderator"): set(),
    ("a moderator", "staff without rights"): set(),
    ("a moderator", "a superuser"): set(),
    ("staff who may read", "a member"): set(),
    ("a superuser", "a member"): {"deactivate", "edit"},
    ("a superuser", "a moderator"): {"deactivate", "edit"},
    ("a superuser", "a superuser"): {"edit"},
}


@pytest.mark.parametrize(("who", "whom"), BUTTONS)
def test_the_page_shows_only_permitted_buttons(people: dict[str, User], who: str, whom: str) -> None:
    member = people[whom]

    text = log_in(people[who]).get(get_page_url(member)).content.decode()

    found = {step for step in (*STEPS, "edit") if build_url(step, member) in text}
    assert found == BUTTONS[who, whom]


def test_a_deactivated_member_has_a_button_to_reactivate(people: dict[str, User], john: User) -> None:
    User.objects.filter(pk=john.pk).update(is_active=False)

    text = log_in(people["a moderator"]).get(get_page_url(john)).content.decode()

    assert build_url("reactivate", john) in text
    assert build_url("deactivate", john) not in text


# --- Concurrency --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_concurrent_confirmations_one_succeeds(
    john: User, morgan: User, root: User, consequences: list[Consequence]
) -> None:
    def confirm(by: User) -> Callable[[], list[str]]:
        client = log_in(by)

        def work() -> list[str]:
            return list_messages(client.post(build_url("deactivate", john), CONFIRMED))

        return work

    together_said = run_concurrently(confirm(morgan), confirm(root))

    assert sorted(len(each) for each in together_said) == [1, 1]
    sentences = {each[0] for each in together_said}
    assert "John Doe is deactivated." in sentences
    assert any("deactivated John Doe, just now. The reason: Spam" in sentence for sentence in sentences)
    assert len(list_facts()) == 1
    assert Mail.objects.filter(kind="deactivated").count() == 1
