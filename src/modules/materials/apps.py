from django.apps import AppConfig


class MaterialsConfig(AppConfig):
    name = "modules.materials"
    verbose_name = "Materials"

    def ready(self) -> None:
        from modules.materials import checks  # noqa: F401  (registers the system checks)
