"""The context in which templates show the evidence about sessions."""

from collections.abc import Sequence
from typing import Any

from core.portal.differences import list_differences
from modules.sessions.admin.wording import WORDING
from modules.sessions.models import Session
from modules.sessions.queries.evidence import find_clashes, load_creator_histories, load_evidence


def build_evidence_context(session: Session) -> dict[str, Any]:
    """The `evidence` of `admin/learning_sessions/evidence.html`; the session comes with its creator."""
    evidence = load_evidence(session)
    return {
        "session": session,
        "history": evidence.history,
        "clashes": evidence.clashes,
        "decisions": evidence.decisions,
        "differences": list_differences(evidence.changes, WORDING),
    }


def build_evidence_lines(sessions: Sequence[Session]) -> dict[int, dict[str, Any]]:
    """A summary for each of many sessions, by session id, for `evidence_line.html`."""
    histories = load_creator_histories(session.creator_id for session in sessions)
    clashing = find_clashes(sessions)
    return {
        session.pk: {"history": histories[session.creator_id], "clashes": clashing[session.pk]} for session in sessions
    }
