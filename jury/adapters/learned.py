"""Logistic regression on TF-IDF, learned from the project's own human labels and cross-fitted.

The labelled groups are dealt to five folds. An item whose group has labels is judged by the one model that
saw none of its fold; any other item by the mean of the five. So no verdict comes from a model that was
trained on the item, its conversation, its original or its copies (Stone 1974; Chernozhukov et al. 2018).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils.translation import gettext_noop as _

from annotate.answers import Answers, AskedQuestion
from annotate.models import Item, Project
from jury.adapters.contract import ABSTAINED, Judge, LocalAdapter, Material, Reading, Readings
from jury.brief import Brief
from jury.item_text import normal_form, text_of
from jury.models import Juror
from jury.training import FOLDS, by_question, folds_of, groups_of, human_answers, members_of
from jury.votes import vote_key

MIN_LABELS = 50
MIN_PER_CLASS = 10
NO_FOLD = -1
WORD = re.compile(r"\b\w+\b")


@dataclass(frozen=True, slots=True)
class Classifier:
    """A model for each fold, of one choice question or of one category; `classes` holds the values."""

    question: AskedQuestion
    category: str
    classes: list[Any]
    models: list[Any]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one classifier learns: texts, class numbers, and the fold of each."""

    texts: list[str]
    targets: list[int]
    folds: list[int]


def gather(juror: Juror, project: Project, brief: Brief) -> Material:
    """The human answers that the juror may learn from, question by question, and why others don't do."""
    found = by_question(human_answers(project))
    content: dict[str, Any] = {}
    notes = []
    groups = groups_of(members_of(project)) if found else {}
    for question in brief.questions_for(juror, "choice", "categories"):
        examples = found.get(question.code, [])
        if question.kind == "choice":
            # An option may have gone since somebody chose it.
            offered = {vote_key(option) for option in question.options}
            examples = [example for example in examples if vote_key(example[1]) in offered]
        problem = _too_little(question, examples, juror, groups)
        if problem:
            notes.append(f"{juror.slug}: no vote on {question.code}: {problem}.")
        else:
            content[question.code] = examples
    return Material(content or None, notes)


def _too_little(
    question: AskedQuestion, examples: Sequence[tuple[int, Any]], juror: Juror, groups: dict[int, int]
) -> str:
    """Why these examples are not enough to learn from; empty if they are."""
    least = juror.params.get("min_labels", MIN_LABELS)
    if len(examples) < least:
        return f"{len(examples)} human labels, needs {least}"
    least = juror.params.get("min_per_class", MIN_PER_CLASS)
    if question.kind == "categories":
        enough = [code for code, n in _named(examples).items() if least <= n <= len(examples) - least]
        return "" if enough else f"no category is named in {least} of the labels and absent from {least}"
    if len({groups[item_id] for item_id, _ in examples}) < 2 * FOLDS:
        return f"the labels come from fewer than {2 * FOLDS} groups of items"
    counts = Counter(vote_key(value) for _, value in examples)
    rare = [
        f"{option} {counts[vote_key(option)]}" for option in question.options if counts[vote_key(option)] < least
    ]
    return f"fewer than {least} labels of an option ({', '.join(rare)})" if rare else ""


def _named(examples: Sequence[tuple[int, Any]]) -> Counter[str]:
    return Counter(code for _, named in examples for code in named)


def prepare(juror: Juror, project: Project, brief: Brief, material: dict[str, Any]) -> Judge:
    """Fit the models of every fold from the frozen examples."""
    groups = groups_of(members_of(project))
    known = {item_id for examples in material.values() for item_id, _ in examples}
    items = {item.pk: item for item in Item.objects.filter(pk__in=known)}
    folds = folds_of([groups[item_id] for item_id in items])
    fold_of = {item_id: folds.get(group, NO_FOLD) for item_id, group in groups.items()}
    classifiers = []
    for question in (question for question in brief.questions if question.code in material):
        examples = [(i, value) for i, value in material[question.code] if i in items]
        texts = {item_id: normal_form(text_of(items[item_id], question.part)) for item_id, _ in examples}
        for category, classes, targets in _tasks(question, examples, juror):
            lesson = Lesson([texts[i] for i, _ in examples], targets, [fold_of[i] for i, _ in examples])
            models = cross_fit(lesson, juror.params.get("C", 4.0))
            if models:
                classifiers.append(Classifier(question, category, classes, models))
    return partial(_judge, classifiers=classifiers, fold_of=fold_of)


def _tasks(
    question: AskedQuestion, examples: Sequence[tuple[int, Any]], juror: Juror
) -> list[tuple[str, list[Any], list[int]]]:
    """(category, classes, class number of each example) of every classifier that a question needs."""
    if question.kind == "choice":
        place = {vote_key(option): number for number, option in enumerate(question.options)}
        return [("", list(question.options), [place[vote_key(value)] for _, value in examples])]
    least = juror.params.get("min_per_class", MIN_PER_CLASS)
    return [
        (code, [False, True], [int(code in named) for _, named in examples])
        for code, n in sorted(_named(examples).items())
        if least <= n <= len(examples) - least
    ]


def cross_fit(lesson: Lesson, strength: float) -> list[Any]:
    """One model a fold, fitted on the other folds; empty if a fold's others miss a class or have no words.

    `strength` is the inverse of the L2 penalty.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts, targets, folds = (
        np.array(lesson.texts, dtype=object),
        np.array(lesson.targets),
        np.array(lesson.folds),
    )
    worded = np.array([WORD.search(text) is not None for text in lesson.texts])
    models = []
    for fold in range(FOLDS):
        others = folds != fold
        if len(np.unique(targets[others])) < len(np.unique(targets)) or not worded[others].any():
            return []
        vectorizer = TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, max_features=50_000, token_pattern=WORD.pattern
        )
        model = make_pipeline(vectorizer, LogisticRegression(C=strength, max_iter=300))
        models.append(model.fit(texts[others], targets[others]))
    return models


def _judge(items: Sequence[Item], classifiers: Sequence[Classifier], fold_of: dict[int, int]) -> Readings:
    folds = [fold_of.get(item.pk, NO_FOLD) for item in items]
    parts = {classifier.question.part for classifier in classifiers}
    texts = {part: [normal_form(text_of(item, part)) for item in items] for part in parts}
    shares = [cross_predict(each.models, texts[each.question.part], folds) for each in classifiers]
    return {item.pk: _reading(item, classifiers, [s[row] for s in shares]) for row, item in enumerate(items)}


def cross_predict(models: Sequence[Any], texts: Sequence[str], folds: Sequence[int]) -> Any:
    """Probabilities, texts x classes: of the model that left the text's fold out, or the mean of all."""
    import numpy as np

    fold = np.array(folds)
    everything = np.array(texts, dtype=object)
    shares = np.zeros((len(texts), len(models[0].classes_)))
    unseen = fold == NO_FOLD
    for number, model in enumerate(models):
        mine = unseen | (fold == number)
        if mine.any():
            weight = np.where(unseen[mine], 1 / len(models), 1.0)[:, None]
            shares[mine] += weight * model.predict_proba(everything[mine])
    return shares


def _reading(item: Item, classifiers: Sequence[Classifier], shares: Sequence[Any]) -> Reading:
    answers: Answers = {}
    probabilities: dict[str, dict[str, float]] = {}
    covered = []
    for classifier, share in zip(classifiers, shares, strict=True):
        question = classifier.question
        if not question.is_asked(answers, item.kind) or not text_of(item, question.part).strip():
            continue
        said = probabilities.setdefault(question.code, {})
        if question.kind == "choice":
            answers[question.code] = classifier.classes[int(share.argmax())]
            said |= {
                vote_key(value): round(float(p), 4) for value, p in zip(classifier.classes, share, strict=True)
            }
            continue
        covered.append(classifier.category)
        said[classifier.category] = round(float(share[1]), 4)
        named = answers.setdefault(question.code, [])
        if share[1] > 0.5:
            named.append(classifier.category)
    if not answers:
        return ABSTAINED
    return Reading(answers=answers, covered=covered, probabilities=probabilities)


ADAPTER = LocalAdapter(
    version=1,
    what=_("learned from this project's human labels: logistic regression on TF-IDF, cross-fitted"),
    gather=gather,
    prepare=prepare,
)
