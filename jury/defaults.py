"""Jurors and panels that come with Jurybox, and cue lists."""

from collections.abc import Iterable, Mapping

from django.db.models import QuerySet

from annotate.models import Project
from jury.errors import BadJuror
from jury.item_text import normal_form
from jury.models import Cue, Juror, Panel, Run

LOCAL = "local"
LOCAL_JURORS = {
    "cues": "Cue list",
    "nearest": "Nearest category",
    "learned": "Learned from people's labels",
}


def local_panel() -> Panel:
    """The panel of jurors that need no model server, made on demand; an admin's changes to it stay."""
    panel, made = Panel.objects.get_or_create(slug=LOCAL, defaults={"title": "Local baselines"})
    if made:
        for adapter, title in LOCAL_JURORS.items():
            juror, _ = Juror.objects.get_or_create(slug=adapter, defaults={"title": title, "adapter": adapter})
            panel.jurors.add(juror)
    return panel


def panels() -> QuerySet[Panel]:
    """All panels by title, the local one among them."""
    local_panel()
    return Panel.objects.order_by("title")


def panel_for(project: Project) -> Panel:
    """The panel that the project used last, else the local one."""
    last = Run.objects.filter(project=project).select_related("panel").order_by("-pk").first()
    return last.panel if last else local_panel()


def load_cues(juror: Juror, terms: Mapping[str, Iterable[str]]) -> int:
    """Add terms by category; those that it has stay. Returns how many the juror has now.

    Raises:
        BadJuror: a term that would match anything.
    """
    cues = [
        Cue(juror=juror, category=category, term=check_term(term))
        for category in terms
        for term in terms[category]
    ]
    Cue.objects.bulk_create(cues, ignore_conflicts=True)
    return juror.cues.count()


def check_term(term: str) -> str:
    """The term with single spaces.

    Raises:
        BadJuror: a word of it is nothing but `*`, or the term has no word at all.
    """
    words = normal_form(term).split()
    if not words or any(not word.rstrip("*") for word in words):
        raise BadJuror("A cue needs a word; `*` stands for the rest of one, as in `poison*`.")
    return " ".join(words)
