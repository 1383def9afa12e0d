"""System checks: each fact has a rule in TABLE or a reason in NOT_NOTIFIED. Their ids are public."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from core.facts import Fact
from modules.notifications.receivers.table import NOT_NOTIFIED, TABLE

WHERE = "modules/notifications/receivers/table.py"


@register
def check_table(**_: Any) -> list[CheckMessage]:
    notified = {rule.fact for rule in TABLE}
    return [
        *(
            Error(
                f"Nobody has decided who is told of {fact.name}.",
                hint=f"Add it to TABLE, or with a reason to NOT_NOTIFIED, in {WHERE}.",
                id="notifications.E001",
            )
            for fact in Fact.kinds.values()
            if fact not in notified and fact not in NOT_NOTIFIED
        ),
        *(
            Error(
                f"{fact.name} is told, and told to nobody.",
                hint=f"Remove it from NOT_NOTIFIED in {WHERE}.",
                id="notifications.E002",
            )
            for fact in notified & NOT_NOTIFIED.keys()
        ),
    ]
