"""Exports asked for by page: claimed in the database, built, packed into one file to download."""

import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from annotate.models import Project, User
from curation.errors import ClaimLost, CurationError
from curation.models import Export, Mix, MixVersion

LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 3
# Zip files can't say less; the same for every file, so that equal mixes give equal files.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
STORED_AS_IS = (".parquet",)


def ask_for(project: Project, name: str, recipe: str, person: User) -> Export:
    """Keep the recipe under its name and ask for a build of it."""
    with transaction.atomic():
        mix, _ = Mix.objects.update_or_create(project=project, name=name, defaults={"recipe": recipe})
        return Export.objects.create(mix=mix, recipe=recipe, requested_by=person)


def files_dir() -> Path:
    return Path(settings.FILES_DIR) / "exports"


def due() -> Q:
    """Exports that wait, or whose worker has not been heard of, by the database's clock."""
    return Q(state=Export.State.WAITING) | Q(state=Export.State.RUNNING, leased_until__lt=Now())


def claim(export_id: int) -> Export | None:
    """Take an export for this worker; None if another has it, it is over, or it failed too often."""
    claimed = Export.objects.filter(due(), pk=export_id, attempts__lt=MOST_ATTEMPTS).update(
        state=Export.State.RUNNING,
        attempts=F("attempts") + 1,
        leased_until=Now() + LEASE,
        phase="starting",
        done=0,
        total=0,
    )
    if not claimed:
        return None
    return Export.objects.select_related("mix__project").get(pk=export_id)


class Heartbeat:
    """Writes progress, and with it the lease, at most once a second; notices when the claim is lost."""

    def __init__(self, export: Export) -> None:
        self._export = export

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Raises ClaimLost when another worker has taken over."""
        mine = _mine(self._export).filter(
            ~Q(phase=phase) | Q(leased_until__lt=Now() + LEASE - timedelta(seconds=1))
        )
        if mine.update(phase=phase, done=done, total=total, leased_until=Now() + LEASE):
            return
        if not _mine(self._export).exists():
            raise ClaimLost(f"Another worker has taken over export {self._export.pk}.")


def _mine(export: Export) -> Any:
    """The export's row, as long as this attempt is the one that runs. The attempt's number is the fence."""
    return Export.objects.filter(pk=export.pk, state=Export.State.RUNNING, attempts=export.attempts)


def run(export_id: int) -> None:
    """Build an export if it is due; called twice, the second call does nothing."""
    export = claim(export_id)
    if export is None:
        return
    from polars.exceptions import PolarsError

    try:
        _build(export)
    except ClaimLost:
        return
    except (CurationError, OSError, PolarsError) as error:
        _mine(export).update(state=Export.State.FAILED, message=str(error), finished_at=Now())


def _build(export: Export) -> None:
    from curation.build import build_mix

    progress = Heartbeat(export)
    files_dir().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=files_dir(), prefix="building-") as scratch:
        folder = Path(scratch) / "mix"
        manifest = build_mix(export.mix.project, export.recipe, folder, progress)
        progress("packing", 0, 0)
        packed = pack(folder, [*sorted(manifest["files"]), "manifest.json"], Path(scratch) / "mix.zip")
        name = f"export-{export.pk}-{export.attempts}.zip"
        shutil.move(packed, files_dir() / name)
    with transaction.atomic():
        version = keep_version(export.mix, export.recipe, manifest)
        finished = _mine(export).update(
            state=Export.State.DONE, version=version, file_name=name, phase="", message="", finished_at=Now()
        )
    if not finished:
        (files_dir() / name).unlink(missing_ok=True)


def pack(folder: Path, names: Sequence[str], target: Path) -> Path:
    """The named files of a folder as one zip file."""
    with zipfile.ZipFile(target, "w") as packed:
        for name in names:
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            as_is = name.endswith(STORED_AS_IS)
            entry.compress_type = zipfile.ZIP_STORED if as_is else zipfile.ZIP_DEFLATED
            with (folder / name).open("rb") as source, packed.open(entry, "w", force_zip64=True) as sink:
                shutil.copyfileobj(source, sink)
    return target


def keep_version(mix: Mix, recipe: str, manifest: dict[str, Any]) -> MixVersion:
    """The frozen version of a mix that this manifest describes; the same one if it was built before."""
    counts = {key: manifest[key] for key in ("items", "rows", "dropped", "cells", "contents")}
    # The recipe may name a filter that is changed later; what it stood for is part of the version.
    counts |= {"filter": manifest["recipe"]["filter"]} if "filter" in manifest["recipe"] else {}
    version, _ = MixVersion.objects.get_or_create(
        mix=mix,
        recipe=recipe,
        snapshot_digest=manifest["snapshot_digest"],
        dataset_digest=manifest["dataset_digest"],
        defaults={"counts": counts},
    )
    return version
