"""Images of items: copied in beside an import, served as what their bytes say they are."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from annotate.image_size import image_size
from annotate.models import Item, Project

# Only formats that a browser draws and that can't carry scripts; SVG is not among them.
MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


@dataclass(frozen=True, slots=True)
class NamedImage:
    """An image as the item's content names it: a path inside its set's folder, and words for who can't see it."""

    path: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class ShownImage:
    """An image as a page shows it. `number`: 1 for the first; width and height in pixels, 0 where not known."""

    number: int
    alt: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class KeptImages:
    kept: int
    missing: int


def named_images(content: Mapping[str, Any]) -> list[NamedImage]:
    """The images that an item's content names, in order: {"image", "alt"?}, or {"images": [{"image", "alt"?}]}."""
    entries = content.get("images") or ([content] if "image" in content else [])
    return [NamedImage(entry["image"], entry.get("alt", "")) for entry in entries]


def shown_images(item: Item) -> list[ShownImage]:
    """The item's images with their sizes, so that a page keeps their place free while they load."""
    found = []
    for number, named in enumerate(named_images(item.content), start=1):
        width, height = image_size(image_path(item, number)) or (0, 0)
        found.append(ShownImage(number, named.alt, width, height))
    return found


def image_path(item: Item, number: int = 1) -> Path:
    """Where the item's image of this number (from 1) lies: named by us, never by the item."""
    return Path(settings.FILES_DIR) / "images" / (str(item.pk) if number == 1 else f"{item.pk}-{number}")


def media_type(path: Path) -> str | None:
    """The media type that the file's first bytes show; None for anything that isn't a plain image."""
    with open(path, "rb") as file:
        head = file.read(16)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), None)


def keep_images(project: Project, folder: Path) -> KeptImages:
    """Copy the images that the project's items name from the folder that they were imported from.

    An image that is there already stays. `missing` counts items of which a file isn't in the folder, or isn't
    PNG, JPEG, GIF or WebP.
    """
    kept = missing = 0
    for item in Item.objects.filter(project=project, kind="image").iterator():
        copied = [
            _keep(folder / named.path, image_path(item, number))
            for number, named in enumerate(named_images(item.content), start=1)
        ]
        kept += sum(one is True for one in copied)
        missing += None in copied
    return KeptImages(kept, missing)


def _keep(source: Path, target: Path) -> bool | None:
    """Whether the image was copied, False if it was there already; None if there is no such image."""
    if target.exists():
        return False
    if not source.is_file() or media_type(source) is None:
        return None
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copyfile(source, target)
    return True
