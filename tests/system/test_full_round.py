"""One session through all modules: what one member does and others are notified of."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from huey.contrib.djhuey import HUEY
from tests.conftest import Api

from core.accounts.models import User
from core.facts.models import FactRecord, FailedDelivery
from modules.materials.models import Material, StoredFile
from modules.sessions.services.life_cycle import advance_due_sessions
from modules.sessions.services.reminders import remind_due_sessions

NOW = datetime(2024, 1, 10, 10, tzinfo=UTC)
START = datetime(2024, 1, 15, 19, tzinfo=UTC)
OFFER = {
    "title": "Advanced Python Programming",
    "description": "Learn advanced Python concepts",
    "subject": "Programming",
    "level": "advanced",
    "date": "2024-01-15T14:00:00-05:00",
    "duration": 90,
    "max_participants": 2,
    "timezone_offset": -300,
}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine: Any) -> Any:
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture(autouse=True)
def here(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files in a folder of the test's own, and tasks at once."""
    options = {"location": str(tmp_path)}
    materials = {"BACKEND": "core.storages.local.LocalStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "materials_local": materials}
    monkeypatch.setattr(HUEY, "immediate", True)


def news(api: Api) -> list[str]:
    """The titles of what a member was told, the newest first."""
    return [row["title"] for row in api.get("/api/notifications/").json()]


class People:
    """The API clients of those who take part in a session; they log in anew when they are built."""

    def __init__(self, *, john: User, jane: User, bob: User, morgan: User) -> None:
        self.creator, self.student, self.latecomer, self.moderator = Api(john), Api(jane), Api(bob), Api(morgan)


def prepare_session(people: People) -> str:
    """Offer and approve a session, and approve one of two requests; returns its path."""
    path = f"/api/sessions/{people.creator.post('/api/sessions/', OFFER).json()['id']}/"
    assert people.student.get(path).status_code == 404
    assert people.moderator.put(path, {"status": "approved"}).json()["status"] == "approved"
    assert people.student.post(f"{path}join/", {"message": "Please"}).status_code == 201
    assert people.latecomer.post(f"{path}join/").status_code == 201
    student = {"user_id": people.student.user.pk}
    assert people.creator.post(f"{path}approve_request/", student).json()["status"] == "approved"
    return path


def share_notes(people: People, path: str) -> Any:
    """Let the student upload a file as a tutor; returns the material."""
    role = f"{path}participants/{people.student.user.pk}/role/"
    assert people.creator.post(role, {"role": "tutor"}).json()["role"] == "tutor"
    upload = {"title": "Notes", "type": "file", "file": SimpleUploadedFile("notes.txt", b"Decorators.")}
    material = people.student.upload(f"{path}materials/", upload).json()
    download = Api().get(material["file"].removeprefix("http://testserver"))
    assert b"".join(download.streaming_content) == b"Decorators."
    return material


def replace_notes(people: People, path: str, material: Any) -> None:
    link = {"title": "Recording", "type": "link", "url": "https://example.com/recording"}
    assert people.student.post(f"{path}materials/", link).status_code == 201
    assert people.student.delete(f"{path}materials/{material['id']}/").status_code == 204


def let_session_pass(clock: Any) -> None:
    """Run the periodic jobs at the time of the reminder, the start and the end."""
    clock.move_to(START - timedelta(hours=24), tick=False)
    remind_due_sessions()
    for at in (START, START + timedelta(minutes=90)):
        clock.move_to(at, tick=False)
        advance_due_sessions()


def test_a_session_from_its_offer_to_its_recording(
    *, john: User, jane: User, bob: User, morgan: User, clock: Any, django_capture_on_commit_callbacks: Any
) -> None:
    people = People(john=john, jane=jane, bob=bob, morgan=morgan)
    path = prepare_session(people)
    material = share_notes(people, path)

    detail = people.creator.get(path).json()
    assert (detail["status"], detail["participant_count"], detail["materials"]) == ("scheduled", 1, [material])
    assert detail["materials"] == people.creator.get(f"{path}materials/").json()

    let_session_pass(clock)
    people = People(john=john, jane=jane, bob=bob, morgan=morgan)
    with django_capture_on_commit_callbacks(execute=True):
        replace_notes(people, path, material)

    assert people.creator.get(path).json()["status"] == "completed"
    assert [row["title"] for row in people.creator.get(path).json()["materials"]] == ["Recording"]
    assert not StoredFile.objects.exists()
    assert news(people.creator) == [
        "New material for Advanced Python Programming",
        "Reminder for Advanced Python Programming",
        "New material for Advanced Python Programming",
        "New booking request for Advanced Python Programming",
        "New booking request for Advanced Python Programming",
        "Session approved: Advanced Python Programming",
    ]
    assert news(people.student) == [
        "Reminder for Advanced Python Programming",
        "Booking request approved for Advanced Python Programming",
    ]
    assert news(people.latecomer) == ["Booking request rejected for Advanced Python Programming"]
    assert news(people.moderator) == []
    assert not FailedDelivery.objects.exists()


def test_a_cancellation_is_notified_once_to_its_audience(*, john: User, jane: User, bob: User, morgan: User) -> None:
    creator, student, latecomer, moderator = Api(john), Api(jane), Api(bob), Api(morgan)
    path = f"/api/sessions/{creator.post('/api/sessions/', OFFER).json()['id']}/"
    moderator.put(path, {"status": "approved"})
    student.post(f"{path}join/")
    latecomer.post(f"{path}join/")
    creator.post(f"{path}approve_request/", {"user_id": jane.pk})

    assert moderator.post(f"{path}cancel/", {"reason": "The house is closed"}).json()["status"] == "cancelled"

    told = "Session cancelled: Advanced Python Programming"
    assert [news(api).count(told) for api in (creator, student, latecomer, moderator)] == [1, 1, 1, 0]
    assert "Booking request rejected for Advanced Python Programming" not in news(latecomer)


def test_deleting_a_session_deletes_its_materials_and_keeps_its_facts(
    *, john: User, bob: User, morgan: User, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    creator, requester = Api(john), Api(bob)
    session_id = creator.post("/api/sessions/", OFFER).json()["id"]
    path = f"/api/sessions/{session_id}/"
    Api(morgan).put(path, {"status": "approved"})
    requester.post(f"{path}join/")
    upload = {"title": "Notes", "type": "file", "file": SimpleUploadedFile("notes.txt", b"Decorators.")}
    creator.upload(f"{path}materials/", upload)

    with django_capture_on_commit_callbacks(execute=True):
        assert creator.delete(path).status_code == 204

    assert not Material.objects.exists()
    assert not StoredFile.objects.exists()
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
    told = requester.get("/api/notifications/").json()
    assert [(row["title"], row["session"]) for row in told] == [
        ("Session cancelled: Advanced Python Programming", None)
    ]
    assert list(FactRecord.objects.filter(session_id=session_id).order_by("pk").values_list("name", flat=True)) == [
        "sessions.SessionOffered",
        "sessions.SessionApproved",
        "sessions.BookingRequested",
        "materials.MaterialAdded",
        "sessions.SessionDeleted",
    ]
