"""What the learned juror learns from: people's answers, and groups that must not be split by a fold."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from annotate.answers import Answers
from annotate.models import Annotation, Item, Project
from jury.item_text import JUDGED_KINDS
from jury.votes import Cells, ballots_of
from jury.weigh import outcome_of

BATCH = 5_000
FOLDS = 5


@dataclass(frozen=True, slots=True)
class GroupMember:
    """What ties an item to others: a group, an original that it is a copy of, the same content."""

    item_id: int
    external_id: str
    group_key: str
    parent: str
    content_hash: str


def human_answers(project: Project) -> Iterator[tuple[int, Answers]]:
    """Each judged item's human answers, in the items' order: adjudications, else the majority of people.

    Ties and items where nobody was sure are left out.
    """
    ballots = ballots_of(project)
    judged = Annotation.objects.filter(item__project=project, item__kind__in=JUDGED_KINDS, part="")
    item_ids = list(judged.order_by("item_id").values_list("item_id", flat=True).distinct())
    kinds = {code: question.kind for code, question in ballots.questions.items()}
    for start in range(0, len(item_ids), BATCH):
        cells_of = ballots.of(item_ids[start : start + BATCH], jury=False)
        for item_id in sorted(cells_of):
            answers = _settled(cells_of[item_id], kinds)
            if answers:
                yield item_id, answers


def _settled(cells: Cells, kinds: dict[str, str]) -> Answers:
    settled: Answers = {}
    for (part, code), cell in sorted(cells.items()):
        if part or kinds[code] not in ("choice", "categories"):
            continue
        votes = [cell.adjudication] if cell.adjudication else cell.people
        winner = outcome_of(votes, kinds[code], quorum=1).winner
        if winner is not None:
            settled[code] = winner
    return settled


def members_of(project: Project) -> Iterator[GroupMember]:
    """What ties the project's items together (one query)."""
    fields = ("id", "external_id", "group_key", "parent", "content_hash")
    for row in Item.objects.filter(project=project).order_by("id").values_list(*fields).iterator():
        yield GroupMember(*row)


def groups_of(members: Iterable[GroupMember]) -> dict[int, int]:
    """Item id to the smallest item id of its group: ties of any sort join, and carry on (union-find)."""
    root: dict[Any, Any] = {}

    def find(node: Any) -> Any:
        while root.setdefault(node, node) != node:
            root[node] = node = root[root[node]]
        return node

    ids = []
    for member in members:
        ids.append(member.item_id)
        ties = [("item", member.external_id), ("content", member.content_hash)]
        ties += [("group", member.group_key)] if member.group_key else []
        ties += [("item", member.parent)] if member.parent else []
        for tie in ties:
            root[find(tie)] = find(member.item_id)
    smallest: dict[Any, int] = {}
    for item_id in sorted(ids):
        smallest.setdefault(find(item_id), item_id)
    return {item_id: smallest[find(item_id)] for item_id in ids}


def folds_of(groups: Sequence[int]) -> dict[int, int]:
    """Groups dealt to folds in an order drawn from their numbers' hashes, so that folds are of like size."""
    drawn = sorted(set(groups), key=lambda group: sha256(str(group).encode()).digest())
    return {group: place % FOLDS for place, group in enumerate(drawn)}


def by_question(examples: Iterable[tuple[int, Answers]]) -> dict[str, list[tuple[int, Any]]]:
    """The examples turned: question code to (item id, value)."""
    found: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    for item_id, answers in examples:
        for code, value in answers.items():
            found[code].append((item_id, value))
    return dict(found)
