"""The answer contract: what it takes, what it refuses, and that types are never merged."""

import pytest

from annotate.answers import AskedQuestion, Contract, value_key
from annotate.errors import BadAnswers

HARM = AskedQuestion("harm", "choice", ("safe", "unsafe"), part="prompt")
REPLY = AskedQuestion("reply", "choice", ("refusal", "compliance"), part="response")
HAZARDS = AskedQuestion("hazards", "categories", condition=({"question": "harm", "is": "unsafe"},))
GRADE = AskedQuestion("grade", "scale", (1, 2, 3), required=False)
SPANS = AskedQuestion("spans", "spans", required=False)
TURNS = AskedQuestion("turns", "turns", required=False)
CONTRACT = Contract((HARM, REPLY, HAZARDS, GRADE, SPANS, TURNS), frozenset({"fraud", "violence"}))
PROMPT = {"prompt": "naïve 🙂 text"}


def check(answers, content=PROMPT, kind="prompt", **more):
    return CONTRACT.check(answers, content, kind, **more)


def test_absent_stays_absent():
    assert check({"harm": "safe", "grade": None}) == {"harm": "safe"}


def test_unsure_is_an_answer_everywhere_but_never_an_absent_one():
    assert check({"harm": "unsure"}) == {"harm": "unsure"}


def test_a_hazard_is_asked_only_of_the_unsafe():
    assert check({"harm": "unsafe", "hazards": ["fraud"]})
    with pytest.raises(BadAnswers, match="hazards: an answer is needed"):
        check({"harm": "unsafe"})
    with pytest.raises(BadAnswers, match="hazards: this question is not asked"):
        check({"harm": "safe", "hazards": ["fraud"]})


def test_a_response_is_asked_about_only_where_there_is_one():
    assert check({"harm": "safe"})
    with pytest.raises(BadAnswers, match="reply: an answer is needed"):
        check({"harm": "safe"}, {"prompt": "a", "response": "b"}, "pair")


@pytest.mark.parametrize("value", ["2", 2.0, True, "two", [2], {"v": 2}])
def test_an_option_of_another_type_is_refused(value):
    with pytest.raises(BadAnswers, match="grade"):
        check({"harm": "safe", "grade": value})


def test_values_that_look_alike_have_different_keys():
    assert len({value_key(value) for value in (1, 1.0, "1", True, "1.0")}) == 5


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({"harm": "dangerous"}, '"dangerous" is not one of "safe", "unsafe"'),
        ({"harm": ["safe"]}, "is not one of"),
        ({"harm": "unsafe", "hazards": "fraud"}, "must be a list"),
        ({"harm": "unsafe", "hazards": ["fraud", "fraud"]}, "twice"),
        ({"harm": "unsafe", "hazards": ["theft"]}, '"theft" is not a category'),
        ({"harm": "safe", "mood": 1}, "mood: there is no such question"),
        ({"harm": "safe", "spans": [{"start": 3, "end": 3}]}, "0 <= start < end"),
        ({"harm": "safe", "spans": [{"start": 0, "end": 13}]}, "beyond the text"),
        ({"harm": "safe", "spans": [{"start": True, "end": 3}]}, "0 <= start < end"),
        ({"harm": "safe", "spans": [{"start": 0, "end": 2, "x": 1}]}, "each span needs"),
    ],
)
def test_refusals_name_the_question_and_the_fault(answers, problem):
    with pytest.raises(BadAnswers, match=problem.replace("[", r"\[")):
        check(answers)


def test_spans_count_code_points_not_bytes_or_utf16():
    assert check({"harm": "safe", "spans": [{"start": 0, "end": 12}]})


def test_turns_must_lie_in_the_dialogue():
    dialogue = {"turns": [{"role": "user", "text": "a"}, {"role": "bot", "text": "b"}]}
    assert check({"harm": "safe", "reply": "refusal", "turns": [1]}, dialogue, "dialogue")
    with pytest.raises(BadAnswers, match=r"turns: names a turn outside 0\.\.1"):
        check({"harm": "safe", "reply": "refusal", "turns": [2]}, dialogue, "dialogue")


def test_jurors_and_imports_may_answer_some_questions():
    assert check({"hazards": ["fraud"]}, partial=True) == {"hazards": ["fraud"]}
