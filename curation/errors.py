"""Everything that can stop a mix, drawn as one tree.

CurationError
├── RecipeRefused      a recipe that says something it can't say
├── BuildRefused       a recipe that can't be followed with the items that are there
├── FolderRefused      a folder that must not, or can't, be replaced
└── ClaimLost          another worker has taken this export over
"""


class CurationError(Exception):
    """The message says what, where, and what to do; it never repeats an item's text."""


class RecipeRefused(CurationError):
    pass


class BuildRefused(CurationError):
    pass


class FolderRefused(CurationError):
    pass


class ClaimLost(CurationError):
    pass
