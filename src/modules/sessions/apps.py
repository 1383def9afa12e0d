from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "modules.sessions"
    # Django's own `sessions` has the other label.
    label = "learning_sessions"
    verbose_name = "Learning sessions"
