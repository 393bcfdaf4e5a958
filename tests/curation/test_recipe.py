import pytest

from curation.errors import RecipeRefused
from curation.recipe import Filter, Recipe, check_questions, parse

REFUSED = {
    "fliters: {lang: en}": "line 1, fliters: no such key; there are filters, labels",
    "seed: 1\nseed: 2": "line 2: seed stands there twice",
    "seed: 1\nfilters:\n  lang: en\n  lang: de": "line 4: lang stands there twice",
    "filters:\n  langauge: en": "line 2, filters.langauge: no such filter; there are kind, lang",
    "filters: [lang]": "line 1, filters: write one `key: value` line",
    "filters:\n  lang: no": "line 2, filters.lang: false is not text",
    "filters:\n  id: [1, 2]": "filters.id: 1 is not text",
    "filters:\n  meta.x: {a: 1}": "filters.meta.x: must be a value or a list",
    "filters:\n  label.prompt_harm: []": "filters.label.prompt_harm: must be a value or a list",
    "filters:\n  blocked: include": "filters.blocked: must be `exclude`",
    "labels: everyone": "line 1, labels: everyone is not one of record, human, assisted, jury, none",
    "test_share: 1.5": "test_share: must be a number from 0 to 1",
    "test_share: .nan": "test_share: must be a number from 0 to 1",
    "test_share: '0.1'": "test_share: must be a number from 0 to 1",
    "per_cell: 0": "per_cell: must be a whole number of at least 1, or `smallest`",
    "per_cell: 99999999999999999999999": "per_cell: must be a whole number of at least 1, or `smallest`",
    "per_cell: !!bool x": "a date or number that can't be",
    "seed: !!timestamp x": "a date or number that can't be",
    'balance: "meta.\\0"': "line 1: a character that can't be stored",
    "per_cell: true": "per_cell: must be a whole number",
    "seed: -1": "seed: must be a whole number of at least 0",
    "seed: 1.5": "seed: must be a whole number",
    "formats: csv": "formats: csv is not one of parquet, jsonl",
    "formats: []": "formats: must be a text or a list",
    "split: ../up": "split: must be a name of letters",
    "balance: [lang, lang]": "balance: names a key twice",
    "labels: none\nbalance: prompt_harm": "labels: none exports no labels",
    "- lang": "write `key: value` lines",
    "lang": "write `key: value` lines",
    "filters: {lang: en": "line 1: not YAML",
    "a: &x 1\nb: *x": "line 2: aliases",
    "seed: !!python/object/apply:os.system ['true']": "not YAML",
    "? [a]\n: 1": "a key must be a plain word",
    "filters:\n  id: 2020-13-45": "a date or number that can't be",
    "[" * 5000: "nested too deeply",
    "#" * 300_000: "longer than",
    "1: 2": "line 1, 1: no such key",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:40])
def test_p12_a_recipe_that_can_not_be_read_names_place_and_reason(text: str):
    with pytest.raises(RecipeRefused) as refused:
        parse(text)
    assert REFUSED[text] in str(refused.value)


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "{}", "filters:\n"])
def test_an_empty_recipe_is_a_recipe(text: str):
    assert parse(text) == Recipe()
    assert parse(text).formats == ("parquet", "jsonl")


def test_every_key_is_read():
    recipe = parse(
        "filters:\n  lang: [en, de]\n  label.severity: 1\n  meta.level: '1'\n  blocked: exclude\n"
        "labels: human\nbalance: [prompt_harm, lang]\nper_cell: 5\ntest_share: 0.25\nseed: 7\n"
        "formats: jsonl\nsplit: second\n"
    )
    assert recipe == Recipe(
        filters=(Filter("lang", ("en", "de")), Filter("label.severity", (1,)), Filter("meta.level", ("1",))),
        exclude_blocked=True,
        labels="human",
        balance=("prompt_harm", "lang"),
        per_cell=5,
        test_share=0.25,
        seed=7,
        formats=("jsonl",),
        split="second",
    )
    assert recipe.balanced_questions == ("prompt_harm",)
    assert recipe.meta_names == ("level",)


def test_balance_asks_for_the_smallest_cell_by_default():
    assert parse("balance: lang").per_cell == "smallest"
    assert parse("per_cell: 3\nbalance: lang").per_cell == 3
    assert parse("").per_cell is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("balance: toxicity", "toxicity: the project has no such question; there are agreed, level"),
        ("filters:\n  label.toxicity: 1", "toxicity: the project has no such question"),
        ("filters:\n  label.level: '1'", '"1" is not one of 1, 2'),
        ("filters:\n  label.agreed: yes", 'true is not one of "no", "yes"; put words such as yes'),
    ],
)
def test_p12_a_recipe_can_only_name_questions_and_answers_that_are_there(text: str, message: str):
    with pytest.raises(RecipeRefused) as refused:
        check_questions(parse(text), {"agreed": ("yes", "no"), "level": (1, 2)})
    assert message in str(refused.value)
