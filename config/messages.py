"""What Jurybox says to people, gathered from templates and code, and its translations in locale/*.

Babel does what xgettext, msgmerge and msgfmt would, so that no machine needs GNU gettext.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

# The number in a tuple is the argument that holds a text; "1c" one that tells equal texts apart.
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
CODE = ("annotate", "config", "curation", "jury")
MARKED = re.compile(r"%\(\w+\)[sd]|%[sd]|%%|\{\w*\}|</?\w+")


def languages() -> list[str]:
    """Those that the texts are translated to."""
    return [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def po_path(language: str) -> Path:
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"


def gather() -> Catalog:
    """Every text in templates and code, with the files it is in."""
    found = Catalog(project="Jurybox", charset="utf-8")
    for path, source in _sources():
        place = path.relative_to(settings.BASE_DIR).as_posix()
        for _line, texts, _comments, context in extract("python", io.BytesIO(source.encode()), KEYWORDS):
            found.add(texts, locations=[(place, 0)], context=context)
    return found


def _sources() -> Iterator[tuple[Path, str]]:
    for path in sorted(settings.BASE_DIR.glob("templates/**/*.html")):
        # What templatize leaves of a page is calls of gettext among X's; their indentation means nothing.
        calls = templatize(path.read_text(encoding="utf-8"))
        yield path, "\n".join(line.lstrip() for line in calls.splitlines())
    for app in CODE:
        for path in sorted(settings.BASE_DIR.glob(f"{app}/**/*.py")):
            if "migrations" not in path.parts:
                yield path, path.read_text(encoding="utf-8")


def read(language: str) -> Catalog:
    """The translations of a language; none where it has no file yet."""
    path = po_path(language)
    if not path.exists():
        return Catalog(locale=language, project="Jurybox", version="0", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update(language: str) -> int:
    """Bring a language's file in line with what is said now; returns how many texts wait for a translation."""
    catalog = read(language)
    created = catalog.creation_date
    catalog.update(gather(), no_fuzzy_matching=True)
    catalog.creation_date = created
    catalog.header_comment = (
        f"# Jurybox, language {language}: translate what is empty; the rest is made by `make messages`."
    )
    catalog.obsolete.clear()
    path = po_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=110, sort_output=True, include_lineno=False)
    return sum(not _is_translated(message) for message in catalog if message.id)


def problems(language: str) -> list[str]:
    """What keeps a language from being complete: texts missing, untranslated, or with other placeholders."""
    catalog = read(language)
    found = []
    for wanted in gather():
        if not wanted.id:
            continue
        here = catalog.get(wanted.id, wanted.context)
        if here is None or not _is_translated(here):
            found.append(f"not translated: {_first(wanted)!r}")
        elif not _keeps_marks(here):
            found.append(f"other placeholders or tags: {_first(wanted)!r}")
    return found


def _first(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _forms(message: Message) -> tuple[str, ...]:
    forms = message.string or ""
    return (forms,) if isinstance(forms, str) else tuple(forms)


def _is_translated(message: Message) -> bool:
    return all(_forms(message)) and not message.fuzzy


def _keeps_marks(message: Message) -> bool:
    """A plural's forms may say a number in words; a single text keeps every placeholder and tag."""
    wanted = sorted(MARKED.findall(_first(message) if isinstance(message.id, str) else message.id[1]))
    if isinstance(message.id, str):
        return sorted(MARKED.findall(_forms(message)[0])) == wanted
    return all(set(MARKED.findall(form)) <= set(wanted) for form in _forms(message))
