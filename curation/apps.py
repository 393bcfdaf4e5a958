from django.apps import AppConfig


class CurationConfig(AppConfig):
    """Data: mixes, splits, exports."""

    name = "curation"
