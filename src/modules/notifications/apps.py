from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "modules.notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        from modules.notifications import checks, letters  # noqa: F401  (registers the system checks and the letter)
