"""Numbers to the geometry of a drawing: where a rectangle is and how large. Pure; templates write the SVG.

Lengths are in units of the drawing's view box. Colours and words are the page's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CELL = 28.0
EDGE = 26.0
# Steps of shade above the empty one; the style sheet has a class for each.
SHADES = 4
BAR_LENGTH = 100.0


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a heat map. `shade` is 0 for none to 4 for the most; `text` is the count, shortened."""

    x: float
    y: float
    middle_x: float
    middle_y: float
    shade: int
    text: str
    same: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A row's or column's number beside the cells."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class HeatMap:
    width: float
    height: float
    cell: float
    cells: tuple[Cell, ...]
    marks: tuple[Mark, ...]


def heat_map(
    rows: Sequence[str], columns: Sequence[str], counts: Mapping[tuple[str, str], int], *, same_apart: bool = False
) -> HeatMap:
    """Cells of rows x columns, shaded by their share of the largest count; rows and columns are numbered from 1.

    Args:
        counts: by (row, column); absent means none.
        same_apart: cells of equal row and column are agreement, so they get no shade.
    """
    shaded = [counts.get((r, c), 0) for r in rows for c in columns if not (same_apart and r == c)]
    most = max(shaded, default=0)
    cells = []
    for down, row in enumerate(rows):
        for across, column in enumerate(columns):
            count, same = counts.get((row, column), 0), same_apart and row == column
            x, y = EDGE + across * CELL, EDGE + down * CELL
            shade = 0 if same else shade_of(count, most)
            cells.append(Cell(x, y, x + CELL / 2, y + CELL / 2, shade, short(count) if count else "", same))
    marks = [Mark(EDGE + place * CELL + CELL / 2, EDGE / 2, str(place + 1)) for place in range(len(columns))]
    marks += [Mark(EDGE / 2, EDGE + place * CELL + CELL / 2, str(place + 1)) for place in range(len(rows))]
    width, height = EDGE + len(columns) * CELL + 1, EDGE + len(rows) * CELL + 1
    return HeatMap(width, height, CELL, tuple(cells), tuple(marks))


def shade_of(count: int, most: int) -> int:
    """0 for none; otherwise 1 to `SHADES` in equal steps up to the largest count."""
    return 0 if count <= 0 or most <= 0 else min(SHADES, 1 + (count * SHADES - 1) // most)


def short(count: int) -> str:
    """A count in at most four characters: 950, 1.2k, 12k, 3M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            tenths = count * 10 // size
            return f"{tenths / 10:g}{letter}" if tenths < 100 else f"{tenths // 10}{letter}"
    return str(count)


def bar_lengths(counts: Sequence[int]) -> list[float]:
    """The bars' lengths, the largest being `BAR_LENGTH`; what is more than none can be seen."""
    most = max(counts, default=0)
    return [round(max(BAR_LENGTH * count / most, 0.5), 2) if count > 0 else 0.0 for count in counts]
