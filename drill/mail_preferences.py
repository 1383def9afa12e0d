"""What is mailed, and to whom: the contract's table (docs/contract.md, "Notifications"), and what members chose."""

from drill.records import Records

# Whether each kind is mailed, unless a member chooses otherwise.
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
    # Whose request waited is rejected.
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
    """What everybody wants to be mailed of. Members choose before there is any news, so it holds all the time."""

    def __init__(self, records: Records) -> None:
        self.chosen = {
            (deed.by_id, kind): mailed
            for deed in records.deeds
            if deed.action == "choose" and deed.outcome == "done"
            for kind, mailed in (deed.choice or {}).items()
        }

    def by_mail(self, fact_name: str, person: int) -> bool:
        kind = KIND_OF[fact_name]
        return self.chosen.get((person, kind), KINDS[kind])
