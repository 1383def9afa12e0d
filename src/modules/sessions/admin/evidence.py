"""The context in which templates show the evidence about sessions."""

from collections.abc import Sequence
from typing import Any

from core.portal.differences import list_differences
from modules.sessions.admin.wording import WORDING
from modules.sessions.models import Session
from modules.sessions.queries.evidence import find_clashes, load_creator_histories, load_evidence


def build_evidence_context(session: Session) -> dict[str, Any]:
    """Build the `evidence` of `admin/learning_sessions/evidence.html`; the creator is loaded with the session."""
    evidence = load_evidence(session)
    return {
        "session": session,
        "history": evidence.history,
        "clashes": evidence.clashes,
        "decisions": evidence.decisions,
        "differences": list_differences(evidence.changes, WORDING),
    }


def build_evidence_lines(sessions: Sequence[Session]) -> dict[int, dict[str, Any]]:
    """Build the summaries in `evidence_line.html` for many sessions, by session id."""
    histories = load_creator_histories(session.creator_id for session in sessions)
    clashing = find_clashes(sessions)
    return {
        session.pk: {"history": histories[session.creator_id], "clashes": clashing[session.pk]} for session in sessions
    }
