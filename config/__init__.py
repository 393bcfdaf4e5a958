"""Settings and start-up. Loading the Celery application here lets every process send its tasks."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
