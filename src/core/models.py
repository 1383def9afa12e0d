"""The models of core, for Django's discovery; each is defined in its package."""

from core.accounts.models import Login, User
from core.facts.models import FactRecord, FailedDelivery
from core.jobs.models import Sweep
from core.mail.models import Mail

__all__ = ["FactRecord", "FailedDelivery", "Login", "Mail", "Sweep", "User"]
