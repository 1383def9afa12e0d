"""What notifications receive and answer: the table's facts, and questions of other modules."""

from functools import partial

from core.facts import subscribe
from modules.notifications.receivers import navigation, notices, panels
from modules.notifications.receivers.rules import notify_by
from modules.notifications.receivers.table import TABLE

__all__ = ["TABLE", "navigation", "notices", "panels"]

for rule in TABLE:
    # Failed deliveries name receivers by this module.
    subscribe(rule.fact, partial(notify_by, rule), name=f"{__name__}.{rule.receiver}")
