"""Examples for the API document: a session as its creator sees it, and in a list as Jane, a participant, does."""

from pydantic import JsonValue

Example = dict[str, JsonValue]


def _user(identifier: int, first_name: str, last_name: str) -> Example:
    return {
        "id": identifier,
        "username": f"{first_name}_{last_name}".lower(),
        "first_name": first_name,
        "last_name": last_name,
        "email": f"{first_name.lower()}@example.com",
        "date_joined": f"2024-01-0{identifier}T00:00:00Z",
    }


JOHN, JANE, BOB = _user(1, "John", "Doe"), _user(2, "Jane", "Smith"), _user(3, "Bob", "Wilson")

SESSION: Example = {
    "id": 1,
    "title": "Advanced Python Programming",
    "description": "Decorators, generators and context managers",
    "subject": "Programming",
    "level": "advanced",
    "date": "2024-01-15T19:00:00Z",
    "duration": 90,
    "max_participants": 15,
    "creator": JOHN,
    "status": "pending_approval",
    "created_at": "2024-01-10T10:00:00Z",
    "updated_at": "2024-01-10T10:00:00Z",
}

SEATS: Example = {"is_full": False, "available_spots": 14, "participant_count": 1, "can_join": False}

PARTICIPANT: Example = {
    "id": 1,
    "user": JANE,
    "role": "student",
    "status": "approved",
    "joined_at": "2024-01-11T09:00:00Z",
}

BOOKING_REQUEST: Example = {
    "id": 2,
    "user": BOB,
    "message": "I would like to learn this",
    "status": "pending",
    "requested_at": "2024-01-13T11:00:00Z",
}

MATERIAL: Example = {
    "id": 1,
    "title": "Python Documentation",
    "type": "link",
    "url": "https://docs.python.org/3/",
    "file": "",
    "file_name": "",
    "content": "",
    "uploaded_by": JOHN,
    "uploaded_at": "2024-01-12T11:00:00Z",
}

LISTED: Example = {
    **SESSION,
    "status": "scheduled",
    "participant_count": 1,
    "is_full": False,
    "available_spots": 14,
    "can_join": False,
    "participants": [PARTICIPANT],
    "materials": [],
    "booking_requests": [
        {**BOOKING_REQUEST, "id": 1, "user": JANE, "status": "approved", "requested_at": "2024-01-11T08:00:00Z"}
    ],
}

DETAIL: Example = {
    **SESSION,
    "status": "scheduled",
    "participants": [PARTICIPANT],
    "materials": [MATERIAL],
    "booking_requests": [BOOKING_REQUEST],
    **SEATS,
}

OFFER: Example = {
    "title": "Advanced Python Programming",
    "description": "Decorators, generators and context managers",
    "subject": "Programming",
    "level": "advanced",
    "date": "2030-01-15T14:00:00-05:00",
    "duration": 90,
    "max_participants": 15,
    "timezone_offset": 300,
}

CHANGES: Example = {
    "title": "Advanced Python Programming, part two",
    "date": "2030-01-16T14:00:00-05:00",
    "duration": 120,
}
