"""What every section needs: the environment, and the paths of files."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from core.settings.environment import Environment

env = Environment()

CHECKOUT = Path(__file__).resolve().parents[3]
DATA_DIR = Path(env.str("DATA_DIR", str(CHECKOUT / "data"))).expanduser().resolve()
try:
    DATA_DIR.mkdir(parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(f"DATA_DIR: {error}") from None

# The unit of the upper bounds of durations, whose ends must be valid dates.
YEAR_DAYS = 365
