from celery import shared_task

from annotate import upload


@shared_task
def read_upload(upload_id: int) -> None:
    """Read a waiting upload in."""
    upload.read(upload_id)
