"""The annotate page's commands and the keys that call them; digits, Enter and arrows are fixed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotate.errors import AnnotateError
from annotate.models import Preferences, User


@dataclass(frozen=True, slots=True)
class Command:
    """`key` is one printable character, as the browser names it; letters are lower case."""

    key: str
    text: str | Promise


COMMANDS: dict[str, Command] = {
    "undo": Command("z", gettext_lazy("undo: back to the item answered before")),
    "skip": Command("k", gettext_lazy("skip this item")),
    "spare": Command("w", gettext_lazy("spare me this item: no reason asked, counted nowhere")),
    "flag": Command("f", gettext_lazy("something is wrong with this item")),
    "guidelines": Command("g", gettext_lazy("guidelines")),
    "define": Command(".", gettext_lazy("definition of the marked category")),
    "evidence": Command("e", gettext_lazy("mark evidence in the text")),
    "veil": Command("v", gettext_lazy("lift the veil")),
    "search": Command("/", gettext_lazy("search the categories")),
    "zoom": Command("+", gettext_lazy("larger image")),
    "change_mind": Command("c", gettext_lazy("change my mind about the last item")),
    "help": Command("?", gettext_lazy("this list of keys")),
}


class BadKeys(AnnotateError):
    def __init__(self, problems: dict[str, str]) -> None:
        """`problems` maps a command's name to what is wrong with its key."""
        self.problems = problems
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))


def merged(own: Mapping[str, Any]) -> dict[str, str]:
    """Every command's key, in order: the person's own where there is one, else the usual one.

    Args:
        own: command to key (`Preferences.keys`); an empty key means the usual one.

    Raises:
        BadKeys: an unknown command, a key that isn't one printable character, a digit, or a key of two commands.
    """
    problems = {str(name): _("there is no such command") for name in own if name not in COMMANDS}
    keys = {name: _lower(own.get(name)) or command.key for name, command in COMMANDS.items()}
    for name, key in keys.items():
        others = [other for other in keys if other != name and keys[other] == key]
        if problem := _problem(key):
            problems[name] = problem
        elif others and own.get(name):
            problems[name] = _("this key is taken by: %(other)s") % {"other": COMMANDS[others[0]].text}
    if problems:
        raise BadKeys(problems)
    return keys


def keys_of(user: User) -> dict[str, str]:
    """The person's keys for a page; the usual ones if what is stored no longer fits."""
    own = Preferences.objects.filter(user=user).values_list("keys", flat=True).first()
    return usable(own or {})


def usable(own: Mapping[str, Any]) -> dict[str, str]:
    """As `merged`, but the usual keys where that refuses."""
    try:
        return merged(own)
    except BadKeys:
        return {name: command.key for name, command in COMMANDS.items()}


def _lower(key: object) -> str:
    """As the browser's `event.key` is compared: without regard to Shift or Caps Lock."""
    return "" if key is None else str(key).lower()


def _problem(key: str) -> str:
    if len(key) != 1 or not key.isprintable() or key.isspace():
        return _("must be one printable character; Enter, Escape and the arrows have a fixed meaning")
    if key.isdigit():
        return _("digits choose answers")
    return ""
