"""Baseline: a list of terms tied to categories. A hit says unsafe; no hit says nothing, never safe."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any

import re2
from django.utils.translation import gettext_noop as _

from annotate.models import Item, Project
from jury.adapters.contract import ABSTAINED, Finding, LocalAdapter, Material, Reading, Readings, answers_from
from jury.brief import Brief
from jury.errors import BadJuror
from jury.item_text import normal_form, text_of
from jury.models import Juror

LETTER = r"[\p{L}\p{M}\p{N}_]"
OPTIONS = re2.Options()
OPTIONS.max_mem = 1 << 30
OPTIONS.log_errors = False
NO_LETTER = r"[^\p{L}\p{M}\p{N}_]"


def gather(juror: Juror, project: Project, brief: Brief) -> Material:
    """The juror's cues as [category, term], in order."""
    cues = [list(cue) for cue in juror.cues.order_by("category", "term").values_list("category", "term")]
    if not cues:
        return Material(None, [f"{juror.slug}: has no cues yet; it sits out."])
    return Material(cues)


def prepare(juror: Juror, project: Project, brief: Brief, cues: list[list[str]]) -> Any:
    """One pattern a category, over all of its terms."""
    terms: dict[str, list[str]] = defaultdict(list)
    for category, term in cues:
        terms[category].append(pattern(term))
    patterns = {
        category: _compiled(juror, category, "|".join(of_category)) for category, of_category in terms.items()
    }
    return partial(_judge, patterns=patterns, juror=juror, brief=brief)


def _compiled(juror: Juror, category: str, alternatives: str) -> Any:
    try:
        return re2.compile(f"(?:^|{NO_LETTER})(?:{alternatives})(?:{NO_LETTER}|$)", OPTIONS)
    except re2.error as error:
        raise BadJuror(f"{juror.slug}: {category} has too many cues for one pattern; take some out.") from error


def pattern(term: str) -> str:
    """A term as an RE2 pattern over normal-form text: words in order, `*` at a word's end for any ending."""
    words = normal_form(term).split()
    return r"\s+".join(
        re2.escape(word.rstrip("*")) + (f"{LETTER}*" if word.endswith("*") else "") for word in words
    )


def _judge(items: Sequence[Item], patterns: dict[str, Any], juror: Juror, brief: Brief) -> Readings:
    return {item.pk: _read(item, patterns, juror, brief) for item in items}


def _read(item: Item, patterns: dict[str, Any], juror: Juror, brief: Brief) -> Reading:
    known = {category.code for category in brief.categories}
    findings = {}
    for part in ("prompt", "response", "whole"):
        text = normal_form(text_of(item, part))
        hits = [category for category, terms in patterns.items() if terms.search(text)]
        if hits:
            named = set().union(*(juror.category_map.get(category, [category]) for category in hits))
            findings[part] = Finding(unsafe=True, categories=frozenset(named & known))
    answers = answers_from(findings, item, juror, brief) if findings else {}
    if not answers:
        return ABSTAINED
    # A list that doesn't name a category is no evidence against it: it covers what it hit.
    covered = sorted(set().union(*(finding.categories for finding in findings.values())))
    return Reading(answers=answers, covered=covered)


ADAPTER = LocalAdapter(version=1, what=_("baseline: cue list"), gather=gather, prepare=prepare)
