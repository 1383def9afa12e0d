"""Which kinds of notification are mailed: by default (docs/contract.md, "Notifications"), and by preferences."""

from drill.records import Records

# By kind, whether it is mailed by default.
KINDS = {
    "booking_request": True,
    "booking_decision": True,
    "seat_left": False,
    "session_decision": True,
    "session_rescheduled": True,
    "session_cancelled": True,
    "material_added": False,
    "material_removed": True,
    "reminder": True,
    "moderation_digest": True,
}
KIND_OF = {
    "BookingRequested": "booking_request",
    "RequestsUndecided": "booking_request",
    "BookingRequestApproved": "booking_decision",
    "BookingRequestRejected": "booking_decision",
    "ParticipantRemoved": "booking_decision",
    # For those whose pending requests it rejects.
    "SessionStarted": "booking_decision",
    "SeatLeft": "seat_left",
    "SessionApproved": "session_decision",
    "SessionRejected": "session_decision",
    "SessionRescheduled": "session_rescheduled",
    "SessionCancelled": "session_cancelled",
    "SessionExpired": "session_cancelled",
    "SessionDeleted": "session_cancelled",
    "ReminderDue": "reminder",
    "SessionsWaiting": "moderation_digest",
}


class MailPreferences:
    """Preferences of all members. They are set before the first fact, and never changed."""

    def __init__(self, records: Records) -> None:
        self.preferences = {
            (action.actor_id, kind): mailed
            for action in records.actions
            if action.name == "set_preferences" and action.outcome == "done"
            for kind, mailed in (action.preferences or {}).items()
        }

    def is_mailed(self, fact_name: str, person: int) -> bool:
        kind = KIND_OF[fact_name]
        return self.preferences.get((person, kind), KINDS[kind])
