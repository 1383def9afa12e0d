"""Receivers of the table's facts, and answers to questions of other modules."""

from functools import partial

from core.facts import subscribe
from modules.notifications.receivers import navigation, notices, panels
from modules.notifications.receivers.rules import apply_rule
from modules.notifications.receivers.table import TABLE

__all__ = ["TABLE", "navigation", "notices", "panels"]

for rule in TABLE:
    # Failed deliveries store this name.
    subscribe(rule.fact, partial(apply_rule, rule), name=f"{__name__}.{rule.receiver}")
