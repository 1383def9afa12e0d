from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "modules.sessions"
    # `sessions` is the label of Django's own app.
    label = "learning_sessions"
    verbose_name = "Learning sessions"
