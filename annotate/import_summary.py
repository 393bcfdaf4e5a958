"""What an import did: counts that add up, the first rejections to show, and the file with all of them."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from annotate.door import Rejection, rejection_line
from annotate.errors import ImportRefused

Progress = Callable[[int], None]
PROGRESS_EVERY = 1_000
SHOWN = 20
KEPT = 100


@dataclass(slots=True)
class ImportSummary:
    """Counts of rows: read = imported + already_there + rejected + without_answer + held_back.

    `rejections` holds the first hundred; `without_answer` is 0 for items; `held_back` are good rows that were
    not imported because others are bad.
    """

    read: int = 0
    imported: int = 0
    already_there: int = 0
    rejected: int = 0
    without_answer: int = 0
    held_back: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, log: "RejectionLog") -> None:
        """Take over what the log has counted."""
        self.rejected, self.rejections = log.count, log.first

    def as_json(self) -> dict[str, Any]:
        return {
            "read": self.read,
            "imported": self.imported,
            "already_there": self.already_there,
            "rejected": self.rejected,
            "without_answer": self.without_answer,
            "held_back": self.held_back,
            "rejections": [shown_rejection(rejection) for rejection in self.rejections],
            "notes": self.notes,
        }

    def lines(self) -> list[str]:
        """The summary for a terminal; what items say is never part of it."""
        counts = (
            f"{self.read} rows read: {self.imported} imported, {self.already_there} already there, "
            f"{self.rejected} rejected."
        )
        if self.without_answer:
            counts += f" {self.without_answer} hold no answer."
        if self.held_back:
            counts += f" {self.held_back} are good, but held back."
        rejected = [f"  {rejection}" for rejection in self.rejections[:SHOWN]]
        if self.rejected > SHOWN:
            rejected.append(f"  … and {self.rejected - SHOWN} more.")
        return [*self.notes, counts, *rejected]


def shown_rejection(rejection: Rejection) -> dict[str, Any]:
    """Where and why, without the excerpt of what stood there."""
    return {"line": rejection.line, "field": rejection.field, "reason": rejection.reason}


class RowsRejected(ImportRefused):
    """Some rows can't be taken in and no reject file was asked for, so nothing was imported."""

    def __init__(self, summary: ImportSummary) -> None:
        summary.imported, summary.held_back = 0, summary.imported
        self.summary = summary
        super().__init__(
            f"Nothing was imported: {summary.rejected} of {summary.read} rows are rejected. "
            "Mend them, or give --reject-file FILE to import the others."
        )


class RejectionLog:
    """Counts rejections, keeps the first hundred and writes all of them to the reject file, if there is one.

    The file appears at `publish`, complete; before that, and if the import fails, nothing of it is seen.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.count = 0
        self.first: list[Rejection] = []
        self._part: IO[str] | None = None

    def __enter__(self) -> Self:
        if self.path is not None:
            try:
                self._part = tempfile.NamedTemporaryFile(
                    "w", encoding="utf-8", dir=self.path.parent, prefix=f".{self.path.name}.", delete=False
                )
            except OSError as error:
                reason = f"The reject file {self.path} can't be written: {error.strerror}."
                raise ImportRefused(reason) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._part is not None:
            self._part.close()
            with suppress(FileNotFoundError):
                os.unlink(self._part.name)

    def add(self, rejection: Rejection) -> None:
        self.count += 1
        if len(self.first) < KEPT:
            self.first.append(rejection)
        if self._part is not None:
            self._part.write(rejection_line(rejection))

    def publish(self) -> None:
        """Put the reject file in its place in one step."""
        if self._part is not None and self.path is not None:
            self._part.flush()
            os.fsync(self._part.fileno())
            os.replace(self._part.name, self.path)
