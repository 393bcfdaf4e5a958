from django.apps import AppConfig


class AnnotateConfig(AppConfig):
    """The floor: people, taxonomy, projects, items, annotations, labels of record."""

    name = "annotate"
