"""The door: bytes from outside become validated rows, or a refusal that says where and why.

One strict parser for every upload, because the readers of our stack disagree with each other on bad
input (duplicate keys, lone surrogates, numbers beyond the range, late fields). Pure: no Django.

    seen = SeenIds()
    for row in read_items("items.jsonl.gz", seen=seen):
        ...  # an ItemRow, or a Rejection; FileRefused is raised for a fault of the whole file

What a row may hold is in `read_item.py`; formats and limits are in the module of each format.
"""

from annotate.door.read_item import ItemRow, Plan, plan_reading, read_item, read_items
from annotate.door.read_rows import read_rows
from annotate.door.refuse import FileRefused, Rejection, Row, excerpt, rejection_line
from annotate.door.seen_ids import SeenIds

__all__ = [
    "FileRefused",
    "ItemRow",
    "Plan",
    "Rejection",
    "Row",
    "SeenIds",
    "excerpt",
    "plan_reading",
    "read_item",
    "read_items",
    "read_rows",
    "rejection_line",
]
