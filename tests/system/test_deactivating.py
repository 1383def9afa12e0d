"""A member is deactivated in the portal: who is notified, and of what."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.mail import EmailMessage
from django.urls import reverse
from tests.conftest import Api
from tests.portal import log_in
from tests.system.scenario import NOW, OFFER, read_deactivation_form

from core.accounts.models import User
from core.mail.sending import send_due_mail
from modules.notifications.models import Notification
from modules.sessions.models import BookingRequest, Session

REASON = "Threatened two members."
TOLD = "The account of its creator was deactivated."

People = dict[str, User]


@pytest.fixture
def people(time_machine: Any, make_member: Any) -> People:
    time_machine.move_to(NOW, tick=False)
    people = {
        "john": make_member("john", first_name="John", last_name="Doe"),
        "jane": make_member("jane", first_name="Jane", last_name="Smith"),
        "bob": make_member("bob", first_name="Bob", last_name="Wilson"),
        "morgan": make_member("morgan", first_name="Morgan", last_name="Reed", is_staff=True),
    }
    people["morgan"].groups.add(Group.objects.get(name="Moderators"))
    return people


def offer(people: People, who: str, title: str) -> str:
    """The path of a session that is approved."""
    answer = Api(people[who]).post("/api/sessions/", OFFER | {"title": title})
    path = f"/api/sessions/{answer.json()['id']}/"
    assert Api(people["morgan"]).put(path, {"status": "approved"}).status_code == 200
    return path


def ask(people: People, who: str, path: str) -> None:
    assert Api(people[who]).post(f"{path}join/").status_code == 201


def let_in(people: People, who: str, path: str, by: str) -> None:
    ask(people, who, path)
    answer = Api(people[by]).post(f"{path}approve_request/", {"user_id": people[who].pk})
    assert answer.status_code == 200


def news(user: User) -> dict[str, str]:
    """What somebody was told, by its title."""
    return dict(Notification.objects.filter(user=user).values_list("title", "message"))


def mails_to(mailbox: list[EmailMessage], user: User) -> list[str]:
    return [str(mail.subject) for mail in mailbox if mail.to == [user.email]]


@pytest.fixture
def deactivate(people: People, django_capture_on_commit_callbacks: Any) -> Callable[[str], None]:
    """Morgan opens the dialog and confirms what it says."""
    client = log_in(people["morgan"])

    def act(who: str) -> None:
        url = reverse("admin:core_user_deactivate", args=[people[who].pk])
        dialog = client.post(url).content.decode()
        values = read_deactivation_form(dialog, reason=REASON, told=TOLD)
        with django_capture_on_commit_callbacks(execute=True):
            assert client.post(url, values).status_code == 302
        assert not User.objects.get(pk=people[who].pk).is_active

    return act


def sent_since(time_machine: Any, mailbox: list[EmailMessage]) -> None:
    """Whatever waits is sent, and all of it forgotten."""
    time_machine.shift(timedelta(minutes=5))
    send_due_mail()
    mailbox.clear()


def test_participants_are_notified_without_the_reason_of_the_deactivation(
    people: People, deactivate: Any, time_machine: Any, mailoutbox: list[EmailMessage]
) -> None:
    path = offer(people, "john", "Knots That Hold")
    let_in(people, "jane", path, "john")
    ask(people, "bob", path)
    sent_since(time_machine, mailoutbox)

    deactivate("john")
    send_due_mail()

    told = f"Knots That Hold has been cancelled. Reason: {TOLD}"
    for who in ("jane", "bob"):
        assert news(people[who])["Session cancelled: Knots That Hold"] == told
        assert mails_to(mailoutbox, people[who]) == ["Session cancelled: Knots That Hold"]
    assert news(people["morgan"]).keys().isdisjoint({"Session cancelled: Knots That Hold"})
    assert not any("Threatened" in str(mail.body) for mail in mailoutbox if mail.to != [people["john"].email])
    assert not Notification.objects.filter(message__contains="Threatened").exists()
    assert Api(people["jane"]).get(path).json()["status"] == "cancelled"


def test_the_deactivated_member_gets_exactly_one_mail(
    people: People, deactivate: Any, time_machine: Any, mailoutbox: list[EmailMessage]
) -> None:
    own = offer(people, "john", "Knots That Hold")
    let_in(people, "jane", own, "john")
    # The news of this would be mailed in a moment.
    ask(people, "bob", own)
    attended = offer(people, "jane", "Nets")
    let_in(people, "john", attended, "jane")

    deactivate("john")
    time_machine.shift(timedelta(minutes=5))
    send_due_mail()

    (letter,) = [mail for mail in mailoutbox if mail.to == [people["john"].email]]
    assert letter.subject == "Your account was deactivated"
    assert f"The reason: {REASON}" in str(letter.body)


def test_a_creator_is_notified_of_the_free_seat(
    people: People, deactivate: Any, time_machine: Any, mailoutbox: list[EmailMessage]
) -> None:
    path = offer(people, "jane", "Nets")
    let_in(people, "john", path, "jane")
    sent_since(time_machine, mailoutbox)

    deactivate("john")

    assert news(people["jane"])["Seat free again for Nets"] == (
        "John Doe has left your session. Reason: The account was deactivated."
    )
    session = Session.objects.get()
    assert (session.participant_count, session.status) == (0, "scheduled")


def test_pending_requests_of_the_deactivated_member_are_deleted(
    people: People, deactivate: Any, time_machine: Any, mailoutbox: list[EmailMessage]
) -> None:
    path = offer(people, "jane", "Nets")
    sent_since(time_machine, mailoutbox)
    ask(people, "john", path)

    deactivate("john")
    time_machine.shift(timedelta(minutes=5))
    send_due_mail()

    assert not BookingRequest.objects.exists()
    assert mails_to(mailoutbox, people["jane"]) == []
    answer = Api(people["jane"]).post(f"{path}approve_request/", {"user_id": people["john"].pk})
    assert answer.status_code == 404


def test_a_reactivated_member_finds_the_cancelled_session(people: People, deactivate: Any, time_machine: Any) -> None:
    offer(people, "john", "Knots That Hold")
    deactivate("john")
    client = log_in(people["morgan"])
    client.post(reverse("admin:core_user_reactivate", args=[people["john"].pk]), {"confirming": "yes"})

    api = Api(User.objects.get(pk=people["john"].pk))

    (own,) = api.get("/api/sessions/my_sessions/").json()["created"]
    assert own["status"] == "cancelled"
    first = api.get("/api/notifications/").json()[0]
    assert first["message"] == f"Knots That Hold has been cancelled. Reason: {TOLD}"


def test_the_pages_of_the_member_and_the_session_show_the_deactivation(people: People, deactivate: Any) -> None:
    path = offer(people, "john", "Knots That Hold")
    deactivate("john")
    client = log_in(people["morgan"])

    member = client.get(reverse("admin:core_user_change", args=[people["john"].pk])).content.decode()
    session_id = path.split("/")[3]
    session = client.get(reverse("admin:learning_sessions_session_change", args=[session_id])).content.decode()

    assert REASON in member
    assert TOLD in member
    assert TOLD in session
    assert REASON not in session
