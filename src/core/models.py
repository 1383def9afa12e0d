"""The models of core, kept beside what they serve."""

from core.accounts.models import Login, User
from core.facts.models import FactRecord, FailedDelivery
from core.mail.models import Mail
from core.sweeps.models import Sweep

__all__ = ["FactRecord", "FailedDelivery", "Login", "Mail", "Sweep", "User"]
