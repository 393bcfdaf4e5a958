from django.apps import AppConfig


class JuryConfig(AppConfig):
    """Machines: jurors read items and return verdicts; verdicts and annotations become labels."""

    name = "jury"
