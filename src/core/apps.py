from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "People and records"

    def ready(self) -> None:
        from core.accounts import checks as account_checks  # noqa: F401
        from core.accounts import letters  # noqa: F401  (registers their writers)
        from core.database import statement_timeouts  # noqa: F401  (registers the system checks; watches connections)
        from core.facts.registry import load_receivers
        from core.settings import checks  # noqa: F401  (registers the system checks; watches connections)

        load_receivers()
        # Known to every process: whoever is asked for the health of the worker has to know what it should do.
        autodiscover_modules("tasks")
