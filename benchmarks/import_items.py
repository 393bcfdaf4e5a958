"""Import 100,000 items with 3 prelabels each: `manage.py import_items` and `import_annotations`, in one process.

    .venv/bin/python -m benchmarks.import_items [ITEMS]

It starts a PostgreSQL of its own, empty, with fsync on. The anchor does the same in the same run the usual
way: json.loads a line, Django's bulk_create in batches of 2,000, one transaction each. It checks nothing.
`ours` and `anchor` are items a second, of the items alone; the prelabels' rate is printed above.
"""

import json
import random
import resource
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.own_database import own_database

ANNOTATORS = ("ana", "ben", "chen")
WORDS_PER_ITEM = 20
BATCH = 2_000


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with own_database() as home:
        items, labels = home / "items.jsonl", home / "labels.jsonl"
        write_files(items, labels, count)
        measure(items, labels, count)


def write_files(items: Path, labels: Path, count: int) -> None:
    """Synthetic prompts and labels, the same in every run."""
    draw = random.Random(42)
    words = [f"w{number}" for number in range(5_000)]
    with items.open("w") as item_file, labels.open("w") as label_file:
        for number in range(count):
            prompt = " ".join(draw.choices(words, k=WORDS_PER_ITEM))
            item = {"id": f"item-{number:08}", "prompt": prompt, "source": "synthetic", "n": number}
            item_file.write(json.dumps(item) + "\n")
            for name in ANNOTATORS:
                value = draw.choice(("safe", "unsafe"))
                label_file.write(json.dumps({"item": item["id"], "annotator": name, "harm": value}) + "\n")


def measure(items: Path, labels: Path, count: int) -> None:
    from annotate.import_annotations import import_annotations
    from annotate.import_items import import_items
    from annotate.models import Annotation, Item

    project = new_project("ours")
    item_time = timed(lambda: import_items(project, items))
    label_time = timed(lambda: import_annotations(project, labels))
    if (Item.objects.count(), Annotation.objects.count()) != (count, 3 * count):
        sys.exit("The import did not store every row.")
    # Linux gives kibibytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    anchor = Anchor(new_project("plain"))
    anchor_item_time = timed(lambda: anchor.create_items(items))
    anchor_label_time = timed(lambda: anchor.create_annotations(labels))

    show("import", count, item_time, label_time)
    show("bulk_create", count, anchor_item_time, anchor_label_time)
    print(f"peak memory of the import's process: {peak:.0f} MiB")
    rates = {"ours": round(count / item_time), "anchor": round(count / anchor_item_time)}
    figures = {"name": "import_items", "n": count} | rates
    print(json.dumps(figures | {"ratio": round(anchor_item_time / item_time, 2)}))


def show(what: str, count: int, item_time: float, label_time: float) -> None:
    print(
        f"{what}: {count:,} items in {item_time:.1f} s ({count / item_time:,.0f}/s), "
        f"their {3 * count:,} prelabels in {label_time:.1f} s ({3 * count / label_time:,.0f}/s)"
    )


def new_project(slug: str):
    from annotate.questions import NewProject, add_question, create_project

    project = create_project(NewProject(slug=slug, template="plain"))
    add_question(project, {"code": "harm", "kind": "choice", "options": ["safe", "unsafe"]})
    return project


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class Anchor:
    def __init__(self, project) -> None:
        from annotate.models import Source, User

        self.project = project
        self.source = Source.objects.create(project=project, name="synthetic")
        self.people = {name: User.objects.create(username=name) for name in ANNOTATORS}
        self.ids: dict[str, int] = {}

    def create_items(self, path: Path) -> None:
        from django.db import transaction

        from annotate.models import Item

        same = {"project": self.project, "source": self.source, "kind": "prompt", "wanted": 3}
        with transaction.atomic():
            for rows in batches(path):
                made = Item.objects.bulk_create(
                    Item(
                        external_id=row["id"],
                        content={"prompt": row["prompt"]},
                        meta={"n": row["n"]},
                        rank=row["n"],
                        **same,
                    )
                    for row in rows
                )
                self.ids |= {item.external_id: item.pk for item in made}

    def create_annotations(self, path: Path) -> None:
        from django.db import transaction

        from annotate.models import Annotation

        with transaction.atomic():
            for rows in batches(path):
                Annotation.objects.bulk_create(
                    Annotation(
                        item_id=self.ids[row["item"]],
                        annotator=self.people[row["annotator"]],
                        answers={"harm": row["harm"]},
                        exposure="imported",
                        client_id=uuid.uuid4(),
                    )
                    for row in rows
                )


def batches(path: Path) -> Iterator[list[dict]]:
    with path.open() as lines:
        while rows := [json.loads(line) for _, line in zip(range(BATCH), lines, strict=False)]:
            yield rows


if __name__ == "__main__":
    main()
