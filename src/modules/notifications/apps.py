from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "modules.notifications"
    verbose_name = "Notifications"
