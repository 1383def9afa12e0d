"""What the materials do in the background. The rows are the truth; a task is only a wake-up."""

from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from modules.materials.stored_files import delete_released, sweep

__all__ = ["delete_released", "sweep_files"]


@db_periodic_task(crontab(minute="*"))
def sweep_files() -> None:
    sweep()
