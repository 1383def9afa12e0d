from django.apps import AppConfig


class MaterialsConfig(AppConfig):
    name = "modules.materials"
    verbose_name = "Materials"
