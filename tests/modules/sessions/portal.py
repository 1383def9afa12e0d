"""Requests to the portal as a moderator's browser sends them."""

from typing import Any

from django.test import Client

from modules.sessions.models import Session

LIST = "/admin/learning_sessions/session/"
DECISIONS = f"{LIST}decisions/"


def page(session: Session) -> str:
    return f"{LIST}{session.pk}/change/"


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def open_decision(client: Client, decision: str, *sessions: Session, back: str = "") -> Any:
    """The response to an action of the list, with these sessions selected."""
    read = {f"version_{session.pk}": session.content_version for session in sessions}
    return client.post(
        f"{DECISIONS}open/",
        {"decision": decision, "_selected_action": [session.pk for session in sessions], "back": back, **read},
        headers={"HX-Request": "true"},
    )


def fields_of_dialog(response: Any) -> dict[str, str]:
    """The hidden fields of a dialog's form."""
    fields = {"decision": response.context["decision"], "back": response.context["back"]}
    for row in response.context["rows"]:
        candidate = row["candidate"]
        if not candidate.refusal:
            fields[f"version_{candidate.session.pk}"] = str(candidate.session.content_version)
            fields[f"taken_{candidate.session.pk}"] = candidate.lease.taken_at.isoformat()
    return fields


def carry_out(client: Client, fields: dict[str, str], **changes: str) -> Any:
    return client.post(f"{DECISIONS}carry-out/", {**fields, **changes}, headers={"HX-Request": "true"})


def decide(client: Client, decision: str, *sessions: Session, reason: str = "") -> Any:
    """Open the dialog and submit it; return the response."""
    answer = carry_out(client, fields_of_dialog(open_decision(client, decision, *sessions)), reason=reason)
    assert answer.status_code == 204, answer.content
    return client.get(answer["HX-Redirect"])
