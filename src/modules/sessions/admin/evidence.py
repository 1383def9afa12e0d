"""The evidence about a session as pages and dialogs show it."""

from typing import Any

from core.portal.differences import differences
from modules.sessions.admin.wording import WORDING
from modules.sessions.models import Session
from modules.sessions.queries.evidence import evidence_about


def shown_evidence(session: Session) -> dict[str, Any]:
    """What `admin/learning_sessions/evidence.html` is given as `evidence`; the session comes with its creator."""
    evidence = evidence_about(session)
    return {
        "session": session,
        "history": evidence.history,
        "clashes": evidence.clashes,
        "decisions": evidence.decisions,
        "differences": differences(evidence.changes, WORDING),
    }
