"""Width and height of an image file from its first bytes (PNG, GIF, WebP, JPEG); nothing is decoded."""

from pathlib import Path
from typing import BinaryIO

Size = tuple[int, int]
# In a JPEG file, what comes before the frame header may hold a preview and profiles of some hundred kB.
MOST_SEGMENTS = 200
# SOF0 to SOF15, but for DHT, JPG and DAC, which lie between them.
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def image_size(path: Path) -> Size | None:
    """Width and height in pixels as the file says; None if there is no file or it doesn't say."""
    try:
        with open(path, "rb") as file:
            found = _read(file)
    except FileNotFoundError:
        return None
    return found if found and min(found) > 0 else None


def _read(file: BinaryIO) -> Size | None:
    head = file.read(30)
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR" and len(head) >= 24:
        return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    if head.startswith(b"GIF8") and len(head) >= 10:
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP" and len(head) == 30:
        return _webp(head)
    if head.startswith(b"\xff\xd8\xff"):
        file.seek(2)
        return _jpeg(file)
    return None


def _webp(head: bytes) -> Size | None:
    """The three kinds of WebP: lossy, lossless, extended."""
    if head[12:16] == b"VP8 ":
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    return None


def _jpeg(file: BinaryIO) -> Size | None:
    """From segment to segment up to the frame header. A turned photo (Exif) is drawn turned, so it has no size."""
    for _ in range(MOST_SEGMENTS):
        start = file.read(4)
        if len(start) < 4 or start[0] != 0xFF:
            return None
        length = int.from_bytes(start[2:4])
        if start[1] in FRAME_HEADERS:
            frame = file.read(5)
            return (int.from_bytes(frame[3:5]), int.from_bytes(frame[1:3])) if len(frame) == 5 else None
        if start[1] == 0xE1 and file.read(6) == b"Exif\0\0":
            return None
        file.seek(length - 2 - (6 if start[1] == 0xE1 else 0), 1)
    return None
