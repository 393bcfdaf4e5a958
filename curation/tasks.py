from celery import shared_task

from curation.export import run


@shared_task
def build(export_id: int) -> None:
    """Build an export; the import of Polars waits until a worker needs it."""
    run(export_id)
