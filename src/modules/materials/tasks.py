"""What the materials do in the background. The rows are the truth; a task is only a wake-up."""

from core.sweeps.turns import sweeps
from modules.materials.stored_files import delete_released, sweep

__all__ = ["delete_released", "sweep_files"]


@sweeps()
def sweep_files() -> int:
    return sweep()
