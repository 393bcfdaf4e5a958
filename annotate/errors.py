"""Everything that can be wrong on the floor, drawn as one tree.

AnnotateError
├── BadAnswers          answers that the project's questions don't allow
├── StaleForm           the taxonomy or the guidelines changed under an open form
├── SlotTaken           the lease ran out and somebody else took the item
├── NotAssigned         an item that this annotator never got
├── ReasonNeeded        a decision against most voters, without a reason
├── FrozenTaxonomy      a published taxonomy version can't change
├── ImportRefused       a file, or rows of it, that can't be taken in
├── ExportRefused       a Label Studio folder that can't be written (label_studio/export.py)
│   └── see also ConfigRefused: a labelling config that the SDK refuses (label_studio/sdk.py)
└── BadQuestion         a question that can't be asked as described
"""


class AnnotateError(Exception):
    """The message says what, where, and what to do; it never repeats an item's text."""


class BadAnswers(AnnotateError):
    def __init__(self, problems: dict[str, str]) -> None:
        """`problems` maps a question's code to what is wrong with its answer."""
        self.problems = problems
        super().__init__("; ".join(f"{code}: {problem}" for code, problem in problems.items()))


class StaleForm(AnnotateError):
    pass


class SlotTaken(AnnotateError):
    pass


class NotAssigned(AnnotateError):
    pass


class ReasonNeeded(AnnotateError):
    pass


class FrozenTaxonomy(AnnotateError):
    pass


class ImportRefused(AnnotateError):
    pass


class BadQuestion(AnnotateError):
    pass
