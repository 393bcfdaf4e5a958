"""Images of items: copied in beside an import, served as what their bytes say they are."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from annotate.models import Item, Project

# Only formats that a browser draws and that can't carry scripts; SVG is not among them.
MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


@dataclass(frozen=True, slots=True)
class KeptImages:
    kept: int
    missing: int


def image_path(item: Item) -> Path:
    """Where an item's image lies: named by us, never by the item."""
    return Path(settings.FILES_DIR) / "images" / str(item.pk)


def media_type(path: Path) -> str | None:
    """The media type that the file's first bytes show; None for anything that isn't a plain image."""
    with open(path, "rb") as file:
        head = file.read(16)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), None)


def keep_images(project: Project, folder: Path) -> KeptImages:
    """Copy the images that the project's items name from the folder that they were imported from.

    An image that is there already stays. `missing` counts items whose file isn't in the folder, or isn't PNG,
    JPEG, GIF or WebP.
    """
    kept = missing = 0
    for item in Item.objects.filter(project=project, kind="image").iterator():
        target = image_path(item)
        source = folder / item.content["image"]
        if target.exists():
            continue
        if not source.is_file() or media_type(source) is None:
            missing += 1
            continue
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(source, target)
        kept += 1
    return KeptImages(kept, missing)
