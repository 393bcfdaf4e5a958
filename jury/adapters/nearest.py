"""Baseline: the category whose definition and examples share most words with the text, by TF-IDF cosine.

Counter-examples are the safe side. Where neither side is near enough, or both are alike, it abstains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils.translation import gettext_noop as _

from annotate.models import Item, Project
from jury.adapters.contract import (
    ABSTAINED,
    Finding,
    Judge,
    LocalAdapter,
    Material,
    Reading,
    Readings,
    answers_from,
)
from jury.brief import Brief
from jury.item_text import normal_form, text_of
from jury.models import Juror

FLOOR = 0.12
MARGIN = 0.04
# Categories nearly as near as the nearest are named with it.
BESIDE = 0.9
SAFE = ""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A fitted vectorizer, the documents' vectors (documents x terms), and whose document each row is."""

    vectorizer: Any
    documents: Any
    owner: list[str]


def gather(juror: Juror, project: Project, brief: Brief) -> Material:
    """Nothing beyond the brief; it sits out where the categories have no texts."""
    if not brief.hazards:
        return Material(None, [f"{juror.slug}: the project has no hazard categories; it sits out."])
    return Material([])


def prepare(juror: Juror, project: Project, brief: Brief, material: Any) -> Judge:
    """Fit TF-IDF on the categories' texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts, owner = [], []
    for category in brief.hazards:
        for text in (f"{category.name}. {category.definition}", *category.examples):
            texts.append(normal_form(text))
            owner.append(category.code)
        for text in category.counter_examples:
            texts.append(normal_form(text))
            owner.append(SAFE)
    vectorizer = TfidfVectorizer(stop_words="english", sublinear_tf=True, token_pattern=r"(?u)\b\w\w+\b")
    neighbourhood = Neighbourhood(vectorizer, vectorizer.fit_transform(texts), owner)
    return partial(_judge, near=neighbourhood, juror=juror, brief=brief)


def _judge(items: Sequence[Item], near: Neighbourhood, juror: Juror, brief: Brief) -> Readings:
    findings: dict[int, dict[str, Finding]] = {item.pk: {} for item in items}
    for part in ("prompt", "response", "whole"):
        texts = [normal_form(text_of(item, part)) for item in items]
        for item, finding in zip(items, _findings(texts, near, juror), strict=True):
            if finding is not None:
                findings[item.pk][part] = finding
    covered = [category.code for category in brief.hazards]
    return {item.pk: _reading(findings[item.pk], item, juror, brief, covered) for item in items}


def _reading(findings: dict[str, Finding], item: Item, juror: Juror, brief: Brief, covered: list[str]) -> Reading:
    answers = answers_from(findings, item, juror, brief)
    return Reading(answers=answers, covered=covered) if answers else ABSTAINED


def _findings(texts: Sequence[str], near: Neighbourhood, juror: Juror) -> list[Finding | None]:
    import numpy as np

    floor, margin = juror.params.get("floor", FLOOR), juror.params.get("margin", MARGIN)
    similarity = (near.vectorizer.transform(texts) @ near.documents.T).toarray()
    sides = sorted(set(near.owner))
    owner = np.array(near.owner)
    # texts x sides: how near the nearest document of each category, and of the safe side, is.
    nearest = np.column_stack([similarity[:, owner == side].max(axis=1) for side in sides])
    found: list[Finding | None] = []
    for row in nearest:
        by_side = dict(zip(sides, row, strict=True))
        safe = by_side.pop(SAFE, 0.0)
        best = max(by_side.values())
        if max(best, safe) < floor or abs(best - safe) < margin:
            found.append(None)
        elif safe > best:
            found.append(Finding(unsafe=False))
        else:
            found.append(Finding(True, frozenset(code for code, s in by_side.items() if s >= BESIDE * best)))
    return found


ADAPTER = LocalAdapter(
    version=1, what=_("baseline: nearest category by TF-IDF similarity"), gather=gather, prepare=prepare
)
