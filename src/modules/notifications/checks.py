"""Whether somebody has decided who is told of each fact. The ids stay what they are."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from core.facts import Fact
from modules.notifications.receivers.table import TABLE, TOLD_TO_NOBODY

WHERE = "modules/notifications/receivers/table.py"


@register
def check_table(**_: Any) -> list[CheckMessage]:
    told = {rule.fact for rule in TABLE}
    return [
        *(
            Error(
                f"Nobody has decided who is told of {fact.name}.",
                hint=f"Add it to TABLE, or with a reason to TOLD_TO_NOBODY, in {WHERE}.",
                id="notifications.E001",
            )
            for fact in Fact.kinds.values()
            if fact not in told and fact not in TOLD_TO_NOBODY
        ),
        *(
            Error(
                f"{fact.name} is told, and told to nobody.",
                hint=f"Remove it from TOLD_TO_NOBODY in {WHERE}.",
                id="notifications.E002",
            )
            for fact in told & TOLD_TO_NOBODY.keys()
        ),
    ]
