from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "People and records"

    def ready(self) -> None:
        from core.accounts import checks as account_checks  # noqa: F401  (registers system checks)
        from core.accounts import letters  # noqa: F401  (registers letters)
        from core.database import statement_timeouts  # noqa: F401  (connects to `connection_created`)
        from core.facts.registry import load_receivers
        from core.settings import checks  # noqa: F401  (registers system checks)

        load_receivers()
        # In every process, since the heartbeat compares the declared jobs with their last runs.
        autodiscover_modules("tasks")
