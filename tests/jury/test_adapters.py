"""P4: whatever a model writes is answers that the contract allows or one named failure, and never a guess."""

import json
from typing import Any

import pytest

from annotate.answers import AskedQuestion
from annotate.models import Item
from jury.adapters import generic_json, llama_guard_3
from jury.adapters.contract import Reading, Reply
from jury.ask import reading_of, storable
from jury.brief import Brief, CategoryText
from jury.models import Failure, Juror

CATEGORIES = tuple(CategoryText(code, code, "", (), (), "hazard") for code in ("violence", "fraud", "privacy"))
HARM = ("safe", "unsafe")
UNSAFE = ({"question": "prompt_harm", "is": "unsafe"}, {"question": "response_harm", "is": "unsafe"})
BRIEF = Brief(
    questions=(
        AskedQuestion("prompt_harm", "choice", HARM, "prompt"),
        AskedQuestion("response_harm", "choice", HARM, "response"),
        AskedQuestion("hazard_categories", "categories", (), "whole", UNSAFE),
    ),
    wording={"prompt_harm": "Harm?", "response_harm": "Harm?", "hazard_categories": "Which?"},
    categories=CATEGORIES,
)
TALK = Brief(
    questions=(
        AskedQuestion("dialogue_harm", "choice", HARM, "whole"),
        AskedQuestion("response_harm", "choice", HARM, "response"),
        AskedQuestion("harmful_turns", "turns", (), "turn", ({"question": "dialogue_harm", "is": "unsafe"},)),
    ),
    wording={"dialogue_harm": "Harm?", "response_harm": "Harm?", "harmful_turns": "Which?"},
    categories=(),
)
GUARD = Juror(slug="lg", adapter="llama_guard_3", category_map={"S1": ["violence"], "S2": ["fraud", "privacy"]})
GENERIC = Juror(slug="gj", adapter="generic_json")
PROMPT = Item(pk=1, kind="prompt", content={"prompt": "What is it?"})
PAIR = Item(pk=2, kind="pair", content={"prompt": "What is it?", "response": "This."})
DIALOGUE = Item(
    pk=3,
    kind="dialogue",
    content={
        "turns": [
            {"role": "agent", "text": "Hello."},
            {"role": "user", "text": "One."},
            {"role": "user", "text": "Two."},
            {"role": "agent", "text": "Three."},
        ]
    },
)


def guard(*texts: str, item: Item = PROMPT, finish: str = "stop") -> Reading:
    replies = [Reply(text=text, finish_reason=finish) for text in texts]
    return reading_of(replies, item, llama_guard_3.ADAPTER, GUARD, BRIEF)


def generic(text: str, item: Item = PROMPT, finish: str = "stop", brief: Brief = BRIEF) -> Reading:
    return reading_of([Reply(text=text, finish_reason=finish)], item, generic_json.ADAPTER, GENERIC, brief)


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("safe", {"prompt_harm": "safe"}),
        ("\n\nsafe", {"prompt_harm": "safe"}),
        ("safe\n", {"prompt_harm": "safe"}),
        ("\n\nunsafe\nS1", {"prompt_harm": "unsafe", "hazard_categories": ["violence"]}),
        ("unsafe\nS1,S2", {"prompt_harm": "unsafe", "hazard_categories": ["fraud", "privacy", "violence"]}),
        ("unsafe\nS2, S2", {"prompt_harm": "unsafe", "hazard_categories": ["fraud", "privacy"]}),
        # S14 has no counterpart here: still unsafe, but no vote on categories.
        ("unsafe\nS14", {"prompt_harm": "unsafe"}),
        ("unsafe", {"prompt_harm": "unsafe"}),
    ],
)
def test_llama_guard_answers_are_read(text: str, answers: dict[str, Any]) -> None:
    reading = guard(text)
    assert reading.answers == answers
    assert reading.covered == ["fraud", "privacy", "violence"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Safe",
        "SAFE",
        "safe.",
        "safe, I think",
        "It is safe",
        "not safe",
        "unsafe\nS0",
        "unsafe\nS15",
        "unsafe\nS99",
        "unsafe\nviolence",
        "unsafe\nS1;S2",
        "unsafe S1",
        "safe\nS1",
        "safe\nunsafe",
        "unsafe\nS1\nsafe",
        "unsafe\nS1,",
        "safesafe",
        "unsafe safe",
        "<think>hm",
        "\u202esafe",
        "s\u0430fe",
        "safe\x00",
        "[" * 50_000,
    ],
)
def test_llama_guard_answers_that_are_none_are_named_and_never_safe(text: str) -> None:
    reading = guard(text)
    assert (reading.answers, reading.failure) == (None, Failure.UNPARSEABLE)


def test_llama_guard_judges_prompt_and_response_by_themselves() -> None:
    requests = llama_guard_3.build(PAIR, GUARD, BRIEF)
    assert [[m["role"] for m in r["messages"]] for r in requests] == [["user"], ["user", "assistant"]]
    reading = guard("safe", "unsafe\nS1", item=PAIR)
    assert reading.answers == {
        "prompt_harm": "safe",
        "response_harm": "unsafe",
        "hazard_categories": ["violence"],
    }
    assert guard("safe", "what?", item=PAIR).failure == Failure.UNPARSEABLE


def test_llama_guard_judges_every_turn_of_a_dialogue() -> None:
    requests = llama_guard_3.build(DIALOGUE, GUARD, TALK)
    # A user first, then strictly by turns, as the model's template wants; the made-up opening is not judged.
    assert [len(request["messages"]) for request in requests] == [2, 3, 4]
    assert [m["role"] for m in requests[-1]["messages"]] == ["user", "assistant", "user", "assistant"]
    assert requests[1]["messages"][-1]["content"] == "One.\n\nTwo."
    replies = [Reply(text=text, finish_reason="stop") for text in ("safe", "unsafe\nS1", "safe")]
    reading = reading_of(replies, DIALOGUE, llama_guard_3.ADAPTER, GUARD, TALK)
    assert reading.answers == {"dialogue_harm": "unsafe", "response_harm": "safe"}


def harm(value: object, **more: object) -> str:
    return json.dumps({"prompt_harm": value, "hazard_categories": None, **more})


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        (harm("safe"), {"prompt_harm": "safe"}),
        (harm("safe", hazard_categories=[]), {"prompt_harm": "safe"}),
        (f"  {harm('unsure')}\n", {"prompt_harm": "unsure"}),
        (
            harm("unsafe", hazard_categories=["fraud"]),
            {"prompt_harm": "unsafe", "hazard_categories": ["fraud"]},
        ),
        (harm("unsafe", hazard_categories=[]), {"prompt_harm": "unsafe", "hazard_categories": []}),
        (
            harm("unsafe", hazard_categories="unsure"),
            {"prompt_harm": "unsafe", "hazard_categories": "unsure"},
        ),
    ],
)
def test_json_answers_are_read(text: str, answers: dict[str, Any]) -> None:
    assert generic(text).answers == answers


@pytest.mark.parametrize(
    "text",
    [
        "",
        "safe",
        '"safe"',
        "null",
        "[]",
        "{}",
        "NaN",
        harm("Safe"),
        harm(" safe"),
        harm("harmful"),
        harm(None),
        harm(True),
        harm(0),
        harm(["safe"]),
        harm({"value": "safe"}),
        # It contradicts itself: safe, and yet it names a hazard.
        harm("safe", hazard_categories=["fraud"]),
        harm("unsafe"),
        harm("unsafe", hazard_categories=["murder"]),
        harm("unsafe", hazard_categories=["fraud", "fraud"]),
        harm("unsafe", hazard_categories="fraud"),
        harm("unsafe", hazard_categories=[1]),
        harm("safe", extra=1),
        harm("safe", response_harm="safe"),
        '{"prompt_harm": "safe"}',
        '{"prompt_harm": "unsafe", "prompt_harm": "safe", "hazard_categories": null}',
        '{"prompt_harm": NaN, "hazard_categories": null}',
        harm("safe")[:-1],
        f"Sure! {harm('safe')}",
        f"{harm('safe')} I hope this helps.",
        f"```json\n{harm('safe')}\n```",
        f"<think>{harm('unsafe')}</think>{harm('safe')}",
        '{"a":' * 30_000,
        "[" * 60_000,
        '{"prompt_harm": ' + "9" * 10_000 + "}",
        "\ud800",
    ],
)
def test_json_answers_that_are_none_are_named_and_never_safe(text: str) -> None:
    reading = generic(text)
    assert (reading.answers, reading.failure) == (None, Failure.UNPARSEABLE)


@pytest.mark.parametrize("finish", ["length", "abort", "tool_calls", "", "None"])
def test_an_answer_that_did_not_stop_by_itself_is_truncated(finish: str) -> None:
    assert generic(harm("safe"), finish=finish).failure == Failure.TRUNCATED
    assert guard("safe", finish=finish).failure == Failure.TRUNCATED


@pytest.mark.parametrize("text", ["I'm sorry, but I can't help with that.", "I cannot assist.", "Sorry, no: safe"])
def test_a_refusal_has_its_own_name(text: str) -> None:
    assert guard(text).failure == generic(text).failure == Failure.REFUSED
    refused = [Reply(refused=True, finish_reason="stop")]
    assert reading_of(refused, PROMPT, generic_json.ADAPTER, GENERIC, BRIEF).failure == Failure.REFUSED


def test_the_schema_allows_enumerated_values_only() -> None:
    (request,) = generic_json.build(PAIR, GENERIC, BRIEF)
    schema = request["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["prompt_harm"] == {"enum": ["safe", "unsafe", "unsure"]}
    hazards = schema["properties"]["hazard_categories"]["anyOf"]
    assert hazards[0]["items"] == {"enum": ["violence", "fraud", "privacy"]}
    assert hazards[1] == {"enum": ["unsure", None]}
    assert schema["required"] == ["prompt_harm", "response_harm", "hazard_categories"]
    assert schema["additionalProperties"] is False
    (request,) = generic_json.build(DIALOGUE, GENERIC, TALK)
    turns = request["response_format"]["json_schema"]["schema"]["properties"]["harmful_turns"]
    assert turns["anyOf"][0]["items"] == {"enum": [0, 1, 2, 3]}


def test_turns_are_read_and_must_exist() -> None:
    said = {"dialogue_harm": "unsafe", "response_harm": "safe"}
    assert generic(json.dumps(said | {"harmful_turns": [1]}), DIALOGUE, brief=TALK).answers == {
        **said,
        "harmful_turns": [1],
    }
    assert generic(json.dumps(said | {"harmful_turns": [4]}), DIALOGUE, brief=TALK).failure == Failure.UNPARSEABLE
    assert (
        generic(json.dumps(said | {"harmful_turns": [1.0]}), DIALOGUE, brief=TALK).failure == Failure.UNPARSEABLE
    )


def test_raw_text_is_kept_as_postgresql_can_store_it() -> None:
    assert storable("a\x00b\ud800c") == "a\ufffdb?c"
    assert len(storable("ä" * 100_000).encode()) <= 64 * 1024
