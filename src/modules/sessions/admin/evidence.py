"""The evidence about a session as pages and dialogs show it."""

from collections.abc import Sequence
from typing import Any

from core.portal.differences import differences
from modules.sessions.admin.wording import WORDING
from modules.sessions.models import Session
from modules.sessions.queries.evidence import clashes, load_creator_histories, load_evidence


def build_evidence_context(session: Session) -> dict[str, Any]:
    """What `admin/learning_sessions/evidence.html` is given as `evidence`; the session comes with its creator."""
    evidence = load_evidence(session)
    return {
        "session": session,
        "history": evidence.history,
        "clashes": evidence.clashes,
        "decisions": evidence.decisions,
        "differences": differences(evidence.changes, WORDING),
    }


def build_evidence_lines(sessions: Sequence[Session]) -> dict[int, dict[str, Any]]:
    """The most of it in a line for each of many, by the session's id: what `evidence_line.html` is given."""
    histories = load_creator_histories(session.creator_id for session in sessions)
    clashing = clashes(sessions)
    return {
        session.pk: {"history": histories[session.creator_id], "clashes": clashing[session.pk]} for session in sessions
    }
