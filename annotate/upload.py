"""Uploads from the page: put where a worker finds them, then read in with progress that the page can see."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from annotate.errors import ImportRefused
from annotate.import_annotations import Names, import_annotations
from annotate.import_items import import_items
from annotate.import_summary import ImportSummary, RowsRejected, shown_rejection
from annotate.models import ItemImport, Project, User

SECONDS_BETWEEN_BEATS = 1.0
DEAD_AFTER = timedelta(minutes=2)
MOST_ATTEMPTS = 3


def upload_path(upload_id: int) -> Path:
    """Where an upload waits: named by us, never by the person who sent it."""
    return Path(settings.FILES_DIR) / "uploads" / str(upload_id)


@transaction.atomic
def receive(project: Project, person: User, sent: dict[str, Any]) -> ItemImport:
    """Store the file of a cleaned `ImportForm`; the row appears for workers when the file is whole.

    Returns:
        The row whose state and counts say how far the import is.
    """
    upload = ItemImport.objects.create(
        project=project,
        uploaded_by=person,
        what=sent["what"],
        file_name=sent["file"].name[:300],
        options={"map": sent["map"], "partial": sent["partial"]},
    )
    path = upload_path(upload.pk)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(path, "wb") as stored:
        for chunk in sent["file"].chunks():
            stored.write(chunk)
    return upload


def read(upload_id: int) -> None:
    """Import a waiting upload and say in its row how it went. A second call at the same time does nothing."""
    claimed = ItemImport.objects.filter(pk=upload_id, state=ItemImport.State.WAITING).update(
        state=ItemImport.State.RUNNING, beat_at=Now()
    )
    if not claimed:
        return
    upload = ItemImport.objects.select_related("project").get(pk=upload_id)
    try:
        _note(upload, ItemImport.State.DONE, _import(upload))
    except RowsRejected as error:
        _note(upload, ItemImport.State.REFUSED, error.summary, _for_the_page(error))
    except ImportRefused as error:
        _note(upload, ItemImport.State.REFUSED, ImportSummary(), str(error))
    upload_path(upload_id).unlink(missing_ok=True)


def _import(upload: ItemImport) -> ImportSummary:
    options, path = upload.options, upload_path(upload.pk)
    beat = _Beat(upload.pk)
    try:
        if upload.what == "annotations":
            names = Names(questions=options["map"])
            return import_annotations(
                upload.project,
                path,
                names=names,
                partial=options["partial"],
                name=upload.file_name,
                progress=beat,
            )
        return import_items(
            upload.project,
            path,
            mapping=options["map"],
            partial=options["partial"],
            allow_references=False,
            name=upload.file_name,
            progress=beat,
        )
    finally:
        beat.close()


def _for_the_page(error: RowsRejected) -> str:
    summary = error.summary
    return (
        f"Nothing was imported: {summary.rejected} of {summary.read} rows are rejected. "
        "Mend them, or tick “Import the good rows”."
    )


def _note(upload: ItemImport, state: str, summary: ImportSummary, message: str = "") -> None:
    upload.state = state
    upload.read, upload.imported, upload.rejected = summary.read, summary.imported, summary.rejected
    upload.rejections = [shown_rejection(rejection) for rejection in summary.rejections]
    upload.message = message or " ".join(summary.notes)
    upload.save(update_fields=["state", "read", "imported", "rejected", "rejections", "message"])


class _Beat:
    """Writes progress over a connection of its own: the import's transaction is seen by nobody until its end."""

    def __init__(self, upload_id: int) -> None:
        self.upload_id = upload_id
        self.beside = connection.copy()
        self.last = 0.0

    def __call__(self, rows_read: int) -> None:
        if time.monotonic() - self.last < SECONDS_BETWEEN_BEATS:
            return
        self.last = time.monotonic()
        with self.beside.cursor() as cursor:
            cursor.execute(
                "UPDATE annotate_itemimport SET read = %s, beat_at = now() WHERE id = %s",
                [rows_read, self.upload_id],
            )

    def close(self) -> None:
        self.beside.close()


def reopen_dead_uploads() -> int:
    """Uploads whose worker fell silent wait again; after three tries they are refused. Returns how many."""
    silent = ItemImport.objects.filter(state=ItemImport.State.RUNNING, beat_at__lt=Now() - DEAD_AFTER)
    silent.filter(attempts__gte=MOST_ATTEMPTS - 1).update(
        state=ItemImport.State.REFUSED,
        message="The worker that read this file died three times. Nothing was imported.",
    )
    return silent.update(state=ItemImport.State.WAITING, attempts=F("attempts") + 1)
