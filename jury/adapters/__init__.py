"""The kinds of juror. A new kind is a file beside this one and a line in `ADAPTERS`."""

from jury.adapters import cues, generic_json, learned, llama_guard_3, nearest
from jury.adapters.contract import EndpointAdapter, LocalAdapter
from jury.errors import BadJuror
from jury.models import Juror

ADAPTERS: dict[str, EndpointAdapter | LocalAdapter] = {
    "cues": cues.ADAPTER,
    "generic_json": generic_json.ADAPTER,
    "learned": learned.ADAPTER,
    "llama_guard_3": llama_guard_3.ADAPTER,
    "nearest": nearest.ADAPTER,
}


def adapter_of(juror: Juror) -> EndpointAdapter | LocalAdapter:
    """The juror's adapter.

    Raises:
        BadJuror: there is no such kind.
    """
    if juror.adapter not in ADAPTERS:
        raise BadJuror(f"{juror.slug}: no adapter {juror.adapter!r}; there are {', '.join(ADAPTERS)}.")
    return ADAPTERS[juror.adapter]
