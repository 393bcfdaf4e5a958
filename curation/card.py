"""The data card: README.md, made from the manifest alone. Pure."""

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

LANGUAGE = re.compile(r"[a-z]{2,3}")
LICENCE = re.compile(r"[A-Za-z0-9.+-]+")
SPLIT_RULE = """\
Items that belong together are always on one side: same conversation or group, original and copies, same
text after folding case, punctuation and look-alike letters, same image, and near-duplicates (at least 0.7 of
their words in common; nearer in a cluster of more than 500, which is a template). The side of an item is
stored when it first could be exported and stays: items added later never move an old one. New groups go to
test in the order of a keyed hash, so that every label keeps its share."""
ASSISTED = """\
`human_assisted` means that some of the people behind the label had seen the jury's votes before they answered.
Such labels lean towards the jury: don't use them to measure how good a juror is. `human_vote` labels were made
blind."""
REASONS = {
    "contested": "its votes tie, and no reviewer has decided",
    "too_few": "fewer valid votes than the quorum",
    "no_label": "nobody has labelled it",
    "other_label_source": "its label comes from a source that the recipe does not take",
    "unsure": "somebody looked and could not tell, so it is in no cell",
    "known_answer": "it teaches or checks annotators: a warm-up or gold item",
    "withdrawn": "its source is withdrawn",
    "blocked_excluded": "nobody may see it again",
    "not_in_cell_quota": "its cell was full",
    "bridges_train_and_test": "it belongs to train items and to test items, so it can be on neither side",
    "test_only_source_in_train_group": "its source is for testing only, and it belongs to train items",
    "train_only_source_in_test_group": "its source is for training only, and it belongs to test items",
    "group_is_in_test": "a later change tied it to test items",
}


def card(manifest: dict[str, Any]) -> str:
    """The card's text, with the front matter that Hugging Face reads."""
    front = yaml.safe_dump(_front_matter(manifest), allow_unicode=True, sort_keys=False, width=100)
    parts = [
        f"---\n{front}---",
        f"# {_plain(manifest['project'])}",
        _summary(manifest),
        "## Sources",
        _table(("source", "licence", "side", "rows"), _source_rows(manifest)),
        "## Labels",
        _labels(manifest),
        "## Split",
        SPLIT_RULE,
        *_cells(manifest),
        "## Left out",
        _dropped(manifest),
        "## Files",
        _files(manifest),
    ]
    return "\n\n".join(parts) + "\n"


def reason_text(reason: str) -> str:
    """A reason of the manifest in words."""
    if reason.startswith("filtered_out."):
        return f"the recipe's filter on {reason.removeprefix('filtered_out.')} leaves it out"
    return REASONS[reason]


def _front_matter(manifest: dict[str, Any]) -> dict[str, Any]:
    licences = {source["license"] for source in manifest["contents"]["sources"]}
    only = licences.pop() if len(licences) == 1 else ""
    languages = [code for code in manifest["contents"]["languages"] if LANGUAGE.fullmatch(code)]
    pattern = "data/{}-*.parquet" if "parquet" in manifest["recipe"]["formats"] else "data/{}.jsonl"
    filled = [side for side, rows in manifest["rows"].items() if rows]
    front: dict[str, Any] = {
        "license": only.lower() if LICENCE.fullmatch(only) else "other",
        "task_categories": ["text-classification"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": side, "path": pattern.format(side)} for side in filled],
            }
        ],
    }
    return {"language": languages, **front} if languages else front


def _summary(manifest: dict[str, Any]) -> str:
    items, rows = manifest["items"], manifest["rows"]
    return (
        f"{rows['train']} rows to train on and {rows['test']} to test on, from {items['exported']} of "
        f"{items['total']} items of the project. Built by Jurybox {manifest['jurybox']}; the same recipe on "
        f"the same state of the project gives the same bytes.\n\n"
        f"The texts may be hateful, violent or otherwise harmful: they are here to be recognised as such."
    )


def _source_rows(manifest: dict[str, Any]) -> Iterable[Sequence[object]]:
    for source in manifest["contents"]["sources"]:
        yield (
            source["source"] or "not stated",
            source["license"] or "not stated",
            source["side"],
            source["rows"],
        )


def _labels(manifest: dict[str, Any]) -> str:
    labels, contents = manifest["contents"]["labels"], manifest["contents"]
    if not labels:
        return "No labels were exported."
    versions = ", ".join(_plain(version) for version in contents["taxonomy_versions"])
    return "\n\n".join(
        [
            "`QUESTION` is the label of record, `QUESTION_source` who made it, `QUESTION_confidence` the share "
            "of valid votes for it. `unsure` means that somebody looked and could not tell; null means that "
            "nobody looked. Values that are not all texts are written as JSON.",
            _table(
                ("question", "label source", "labels"),
                ((label["question"], label["label_source"], label["labels"]) for label in labels),
            ),
            *([ASSISTED] if any(label["label_source"] == "human_assisted" for label in labels) else []),
            *([f"Taxonomy: {versions}."] if versions else []),
        ]
    )


def _cells(manifest: dict[str, Any]) -> list[str]:
    if not manifest["recipe"]["balance"]:
        return []
    rows = (
        (*cell["cell"].values(), cell["side"], cell["wanted"], cell["available"], cell["taken"])
        for cell in manifest["cells"]
    )
    return [
        "## Balance",
        _table((*manifest["recipe"]["balance"], "side", "wanted", "available", "taken"), rows),
    ]


def _dropped(manifest: dict[str, Any]) -> str:
    if not manifest["dropped"]:
        return "Nothing."
    rows = ((reason, reason_text(reason), count) for reason, count in manifest["dropped"].items())
    return _table(("reason", "what it means", "items"), rows)


def _files(manifest: dict[str, Any]) -> str:
    return (
        "`lineage.parquet` leads from every label to the votes behind it; `manifest.json` holds the recipe, all "
        f"counts and the checksum of every file. Digest of the rows: `{manifest['dataset_digest']}`."
    )


def _table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _plain(text: object) -> str:
    """Text that stays text in a Markdown table."""
    escaped = html.escape(str(text), quote=False)
    return re.sub(r"([\\`*\[\]|])", r"\\\1", " ".join(escaped.split()))
