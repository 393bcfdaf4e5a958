"""Everything that can be wrong on the bench, drawn as one tree.

JuryError
├── NothingToAsk    no juror of the panel can vote in this project
├── RunUnderWay     the project has a running run
├── RunOutdated     a juror or the questions changed after the run was planned
└── BadJuror        a juror as configured can't be asked
"""


class JuryError(Exception):
    """The message says what, where, and what to do; it never repeats an item's text."""


class NothingToAsk(JuryError):
    pass


class RunUnderWay(JuryError):
    pass


class RunOutdated(JuryError):
    pass


class BadJuror(JuryError):
    pass
