"""A project whose labels are known, so that what comes out can be compared with what went in."""

import hashlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.db import connection

from annotate.models import Annotation, Exposure, Item, Label, Project, Question, Source, User
from annotate.questions import NewProject, create_project

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def project(transactional_db: None, taxonomy: Any) -> Project:
    """Prompts and responses over the small taxonomy. Builds read by a connection of their own."""
    return create_project(NewProject(slug="mixable", taxonomy="small"))


@pytest.fixture
def voter(transactional_db: None) -> User:
    return User.objects.create_user("voter")


class Rows:
    """Puts items and labels into a project as an import and `weigh` would."""

    def __init__(self, project: Project, voter: User) -> None:
        self.project, self.voter = project, voter

    def add(self, rows: Sequence[Mapping[str, Any]]) -> list[Item]:
        """Items from rows: `id`, `prompt` (by default words of its own), `group`, `parent`, `source`, `use`…"""
        sources: dict[tuple[str, str], Source] = {}
        items = []
        for row in rows:
            key = (row.get("source", "house"), row.get("use", "any"))
            if key not in sources:
                sources[key], _ = Source.objects.get_or_create(
                    project=self.project, name=key[0], use=key[1], licence=row.get("license", "CC0-1.0")
                )
            content = {"prompt": row.get("prompt", own_words(row["id"]))} | row.get("content", {})
            items.append(
                Item(
                    project=self.project,
                    external_id=row["id"],
                    kind=row.get("kind", "prompt"),
                    content=content,
                    content_hash=hashlib.sha256(json.dumps(content).encode()).hexdigest(),
                    source=sources[key],
                    lang=row.get("lang", "en"),
                    group_key=row.get("group", ""),
                    parent=row.get("parent", ""),
                    meta=row.get("meta", {}),
                    blocked=row.get("blocked", False),
                    rank=0,
                    wanted=3,
                )
            )
        return Item.objects.bulk_create(items)

    def label(self, items: Sequence[Item], question: str, value: Any, **more: Any) -> None:
        """A settled label by one human vote for each item; a callable value is asked for each."""
        asked = Question.objects.get(project=self.project, code=question)
        values = [value(item) if callable(value) else value for item in items]
        annotations = Annotation.objects.bulk_create(
            Annotation(
                item=item,
                annotator=self.voter,
                answers={question: chosen},
                exposure=Exposure.BLIND,
                client_id=uuid.uuid4(),
                repeat=asked.position,
                taxonomy_version=self.project.taxonomy_version,
            )
            for item, chosen in zip(items, values, strict=True)
        )
        Label.objects.bulk_create(
            Label(
                **{
                    "item": item,
                    "question": asked,
                    "state": "settled",
                    "value": chosen,
                    "source": "human_vote",
                    "confidence": 2 / 3,
                    "votes": [{"annotation": vote.pk, "voter": "voter", "value": chosen}],
                    "taxonomy_version": self.project.taxonomy_version,
                    "rule": "majority",
                }
                | more
            )
            for item, chosen, vote in zip(items, values, annotations, strict=True)
        )

    def labelled(self, count: int, prefix: str = "i", **more: Any) -> list[Item]:
        """Items of their own words, every third unsafe."""
        items = self.add([{"id": f"{prefix}{n:05d}"} | more for n in range(count)])
        self.label(items, "prompt_harm", every_third)
        return items


def own_words(seed: str) -> str:
    """Twelve words that hardly any other text has."""
    digest = hashlib.sha256(seed.encode()).hexdigest()
    return " ".join(f"w{digest[i : i + 5]}" for i in range(0, 60, 5))


def every_third(item: Item) -> str:
    return "unsafe" if item.pk % 3 == 0 else "safe"


@pytest.fixture
def rows(project: Project, voter: User) -> Rows:
    return Rows(project, voter)


@pytest.fixture
def build(project: Project, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Build a mix of the project in this process; returns the manifest."""
    from curation.build import build_mix

    def run(recipe: str = "", out: str = "mix") -> dict[str, Any]:
        return build_mix(project, recipe, tmp_path / out, lambda phase, done, total: None)

    return run


@pytest.fixture
def sides(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Item id to the side that a built folder has it on."""

    def read(out: str = "mix") -> dict[str, str]:
        found = {}
        for side in ("train", "test"):
            for path in sorted((tmp_path / out / "data").glob(f"{side}-*.parquet")):
                for item in pl.read_parquet(path)["id"]:
                    assert item not in found
                    found[item] = side
        return found

    return read


def command(*words: object, **more: str) -> subprocess.Popen[str]:
    """`manage.py` with these words as a process of its own, on the tests' database."""
    database = connection.settings_dict
    options = "&".join(f"{key}={value}" for key, value in database["OPTIONS"].items() if isinstance(value, str))
    host = database["HOST"]
    address = f"postgresql://{database['USER']}:{database['PASSWORD']}@:{database['PORT']}/{database['NAME']}"
    environment = os.environ | {"DATABASE_URL": f"{address}?host={host}&{options}"} | more
    return subprocess.Popen(
        [sys.executable, "manage.py", *map(str, words)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """What a command that ends well wrote."""
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return out
