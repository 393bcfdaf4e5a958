"""The ids of one file: none twice, none that only Unicode normalisation tells apart."""

import unicodedata

from annotate.door.refuse import RowRefused, excerpt

MAX_WARNINGS = 100


class SeenIds:
    """Remembers each id with its line: about 250 bytes an id.

    `warnings` holds the first 100 pairs of ids that differ only in case; `warned` counts them all.
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.warned = 0
        self._lines: dict[str, int] = {}
        # Folded form to id, only for ids that folding changes: usual ids cost nothing here.
        self._folded: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, external_id: str, line: int) -> None:
        """Raises RowRefused when the id, or one equal to it after NFC (UAX 15), was seen before."""
        key = external_id if external_id.isascii() else unicodedata.normalize("NFC", external_id)
        before = self._lines.get(key)
        if before is not None:
            reason = f"line {line} repeats the id of line {before} (in the same or in another Unicode form)"
            raise RowRefused("duplicate_id", "id", reason, external_id)
        self._lines[key] = line
        folded = key.casefold()
        if folded != key:
            twin = self._folded.setdefault(folded, key)
            self._warn(twin if twin != key else folded, key, line)
        elif self._folded:
            self._warn(self._folded.get(key, key), key, line)

    def _warn(self, twin: str, key: str, line: int) -> None:
        if twin == key or twin not in self._lines:
            return
        self.warned += 1
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(
                f"line {line}: the id {excerpt(key)} differs only in case"
                f" from {excerpt(twin)} in line {self._lines[twin]}"
            )
