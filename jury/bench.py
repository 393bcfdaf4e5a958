"""The bench: a juror made ready to judge a project's items, as its seat in a run froze it."""

from dataclasses import dataclass
from functools import lru_cache, partial

from annotate.models import Project
from jury.adapters import adapter_of
from jury.adapters.call import server_of
from jury.adapters.contract import EndpointAdapter, Judge, Material
from jury.ask import ask
from jury.brief import Brief, brief_of, prompt_version
from jury.errors import BadJuror, RunOutdated
from jury.models import Juror, Seat

# Rows claimed at a time: an endpoint juror's must be answered within one lease, a local one's are quick.
ENDPOINT_CHUNK = 64
LOCAL_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Sitting:
    """A seat that is ready: `judge` reads items, `chunk` says how many at a time."""

    seat: Seat
    judge: Judge
    chunk: int


def material_of(juror: Juror, project: Project, brief: Brief) -> Material:
    """What the juror would go by in a run planned now; no content and a note where it can't vote.

    Raises:
        BadJuror: it can't be asked as it is configured.
    """
    adapter = adapter_of(juror)
    if not isinstance(adapter, EndpointAdapter):
        return adapter.gather(juror, project, brief)
    server_of(juror)
    if not adapter.answers(juror, brief):
        return Material(None, [f"{juror.slug}: the project has no question that it can answer; it sits out."])
    return Material([])


@lru_cache(maxsize=8)
def sitting(seat_id: int) -> Sitting:
    """The seat made ready; kept for the process's next chunks, since learning takes seconds.

    Raises:
        RunOutdated: the juror, the questions or the taxonomy are not those that the run was planned with.
    """
    seat = Seat.objects.select_related("juror", "run__project__taxonomy_version").get(pk=seat_id)
    juror, project, adapter = seat.juror, seat.run.project, adapter_of(seat.juror)
    brief = brief_of(project)
    if prompt_version(juror, adapter.version, brief, seat.material) != seat.prompt_version:
        raise RunOutdated(
            f"{juror.slug} or the project's questions changed after this run was planned; start another."
        )
    if isinstance(adapter, EndpointAdapter):
        return Sitting(seat, partial(ask, adapter=adapter, juror=juror, brief=brief), ENDPOINT_CHUNK)
    try:
        judge = adapter.prepare(juror, project, brief, seat.material)
    except (ValueError, LookupError, TypeError) as problem:
        raise BadJuror(
            f"{juror.slug} can't be made ready ({type(problem).__name__}): check its settings."
        ) from problem
    return Sitting(seat, judge, LOCAL_CHUNK)
