"""The file of refused rows that an import leaves: where each stands, why it was refused, and what it was."""

import csv
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import orjson

from flywheel_dagster.errors import InputError

# (line, what is wrong with the row, its values)
Refusal = tuple[int, str, Any]


class Rejects:
    """The refused rows, as CSV: line, reason, row. The file is made with the first of them; an old one does not stay."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"{self.path} can't be replaced: {error.strerror}; name another file with --rejects") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file:
            self._file.close()

    def add(self, refusal: Refusal) -> None:
        """Write one down."""
        line, reason, values = refusal
        if self._file is None:
            try:
                self._file = self.path.open("w", encoding="utf-8", errors="replace", newline="")
            except OSError as error:
                raise InputError(f"{self.path} can't be written: {error.strerror}; name another file with --rejects") from error
            csv.writer(self._file).writerow(("line", "reason", "row"))
        self.count += 1
        csv.writer(self._file).writerow((line, reason, _shown(values)))
        self._file.flush()


def _shown(values: Any) -> str:
    try:
        return orjson.dumps(values, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        return repr(values)
