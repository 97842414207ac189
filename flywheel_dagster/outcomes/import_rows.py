"""How a row of past outcomes is validated and becomes a message and one snapshot event, as a line for COPY. Its columns are in
`import_columns.py`, reading files in `import_files.py`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from operator import attrgetter
from typing import Annotated, Any, Literal, Optional

import msgspec
import orjson
from msgspec import Meta

from flywheel_dagster.outcomes.events import RANGES, WORDS, check_facts, json_bytes
from flywheel_dagster.outcomes.import_columns import COLUMNS, FACTS, MESSAGE, TIMES, ImportedRow
from flywheel_dagster.outcomes.messages import ARMS, CHANNELS, SentMessage

# The limits of the table, so that one call in C checks all of a row. What it refuses, `_reason` explains.
_WORDS_BY_COLUMN = WORDS | {"channel": CHANNELS, "experiment_arm": ARMS}
_LIMITS: dict[str, Any] = {
    **dict.fromkeys(("organization_id", "campaign_id", "lead_id"), Annotated[str, Meta(min_length=1, max_length=200)]),
    **{name: Optional.__getitem__(Literal.__getitem__(words)) for name, words in _WORDS_BY_COLUMN.items()},
    **dict.fromkeys(
        ("open_count", "machine_open_count", "click_count"), Annotated[int, Meta(ge=0, le=RANGES["open_count"][1])] | None
    ),
    "channel": Literal.__getitem__(CHANNELS),
    "icp_score": Annotated[float, Meta(ge=0, le=1)] | None,
    "strategy_propensity": Annotated[float, Meta(gt=0, le=1)] | None,
    "reply_sentiment_score": Annotated[float, Meta(ge=-1, le=1)] | None,
    "deal_currency": Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")] | None,
}
_TYPES = {field.name: _LIMITS.get(field.name, field.type) for field in msgspec.structs.fields(ImportedRow)}
_KEYS = ("id", "event_key", "as_of", "facts", "sent_at")
_NEEDED = ("organization_id", "campaign_id", "lead_id", "channel", "message_body")
_TEXTS = ("subject_line", "framework", "tone", "experiment_arm", "lead_industry", "lead_role", "company_size")
_NUMBERS = ("icp_score", "strategy_propensity")
_IMPLIED = {"reply_text": "replied", "bounce_reason": "bounced", "deal_value": "deal_closed"}
_CENT = Decimal("0.01")

# A line of COPY, format csv, in which everything is quoted, by characters that texts hardly have: see `import_copy.sql`.
_QUOTE, _BETWEEN = "\x01", "\x01\x02\x01"


class Stager:
    """Turns rows with certain columns into lines for the staging table, whose columns are then `targets`."""

    def __init__(self, columns: Sequence[str] = COLUMNS) -> None:
        self.columns = tuple(columns)
        given = set(columns)
        texts = tuple(name for name in (*_NEEDED, *_TEXTS) if name in given or name in _NEEDED)
        self._row = _row_of(self.columns)
        self._times_of = attrgetter("sent_at", "as_of", *(name for name in TIMES if name in given))
        self._facts = tuple(name for name in FACTS if name in given or name in ("deal_closed", "deal_closed_at"))
        self._facts_of = attrgetter(*self._facts)
        self._texts_of = attrgetter(*texts)
        self._implied = tuple((flag, detail) for detail, flag in _IMPLIED.items() if detail in given)
        self._decisions = columns.index("agent_decisions") if "agent_decisions" in given else None
        self._numbers = tuple(name for name in _NUMBERS if name in given)
        self._closing = "time_to_close_days" in given
        self.targets = (
            *_KEYS,
            *texts,
            *self._numbers,
            *(("agent_decisions",) if self._decisions is not None else ()),
        )
        self._marks = 2 * len(self.targets)

    def line(self, values: list[Any]) -> bytes:
        """Validate one row, its values in the order of the columns, None where empty; strings hold no NUL and no lone surrogate.

        Raises ValueError saying what is wrong with which column.
        """
        if self._decisions is not None and isinstance(decisions := values[self._decisions], str):
            values = [*values[: self._decisions], _parsed(decisions), *values[self._decisions + 1 :]]
        try:
            row = msgspec.convert(values, self._row, strict=False)
        except msgspec.ValidationError as error:
            raise ValueError(_reason(dict(zip(self.columns, values, strict=True)), error)) from error
        if row.organization_id == "global":
            _refuse(row)
        times = [at for at in self._times_of(row) if at is not None]
        for at in times:
            if at.tzinfo is not UTC:
                times = self._in_utc(row)
                break
        if self._closing and row.deal_closed and row.deal_closed_at is None and row.time_to_close_days is not None:
            row.deal_closed_at = _later(row.sent_at, row.time_to_close_days)
            times.append(row.deal_closed_at)
        for flag, detail in self._implied:
            if getattr(row, detail) is not None and getattr(row, flag) is None:
                raise ValueError(f"{detail} is given but {flag} is not; say whether it happened")
        return self._line(row, row.as_of or max(times))

    def _in_utc(self, row: ImportedRow) -> list[datetime]:
        """The row's times, after bringing each to UTC; without a zone they are."""
        try:
            for name in (*TIMES, "as_of"):
                at = getattr(row, name)
                if at is not None:
                    setattr(row, name, at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))
        except OverflowError as error:
            raise ValueError("a time lies outside of the years 1 to 9999") from error
        return [at for at in self._times_of(row) if at is not None]

    def _line(self, row: ImportedRow, as_of: datetime) -> bytes:
        facts = {
            name: value
            for name, value in zip(self._facts, self._facts_of(row), strict=True)
            if value is not None and value is not False
        }
        if row.deal_value is not None:
            check_facts({"deal_value": row.deal_value})
            facts["deal_value"] = str(row.deal_value.quantize(_CENT, ROUND_HALF_UP))
        encoded = orjson.dumps(facts, option=orjson.OPT_SORT_KEYS).decode()
        sent, known = orjson.dumps((row.sent_at, as_of))[2:-2].decode().split('","')  # three times as fast as isoformat()
        own = row.id.hex if row.id else _identity(row, sent)
        key = sha256(f"import\0{row.organization_id}\0{own}\0{known}\0{encoded}".encode()).hexdigest()[:32]
        values = [own, key, known, encoded, sent]
        values += [text or "" for text in self._texts_of(row)]
        for name in self._numbers:
            number = getattr(row, name)
            values.append("" if number is None else repr(number))
        if self._decisions is not None:
            values.append(json_bytes(row.agent_decisions).decode() if row.agent_decisions else "{}")
        line = f"{_QUOTE}{_BETWEEN.join(values)}{_QUOTE}\n"
        if line.count(_QUOTE) != self._marks:
            line = f"{_QUOTE}{_BETWEEN.join([value.replace(_QUOTE, _QUOTE * 2) for value in values])}{_QUOTE}\n"
        return line.encode()


def _row_of(columns: tuple[str, ...]) -> Any:
    """A struct that takes the values of these columns by position, and has the others too, empty."""
    fields: list[Any] = [(name, _TYPES[name]) for name in columns]
    fields += [(name, _TYPES[name], None) for name in COLUMNS if name not in columns]
    return msgspec.defstruct("Row", fields, array_like=True, gc=False)


def _identity(row: ImportedRow, sent: str) -> str:
    """The id of a message that has none: when it was sent, and a hash of what it says. Neighbours in time are neighbours in the index."""
    content = (row.organization_id, row.campaign_id, row.lead_id, row.channel, sent, row.subject_line or "", row.message_body)
    told = "\0".join(content)
    milliseconds = max(0, int(row.sent_at.timestamp() * 1000))
    return f"{milliseconds:012x}{sha256(told.encode()).hexdigest()[:20]}"


def _later(sent_at: datetime, days: float) -> datetime:
    try:
        return sent_at + timedelta(days=days)
    except OverflowError as error:
        raise ValueError(f"time_to_close_days is {days}; that is after the year 9999") from error


def _parsed(decisions: str) -> Any:
    try:
        return orjson.loads(decisions)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"agent_decisions is not JSON: {error}") from error


def _reason(values: dict[str, Any], refusal: msgspec.ValidationError) -> str:
    """What is wrong with a row that was refused: a type, a fact, or the message, in this order."""
    try:
        row = msgspec.convert({name: value for name, value in values.items() if value is not None}, ImportedRow, strict=False)
    except msgspec.ValidationError as error:
        refusal = error
    else:
        _refuse(row)
    return str(refusal).replace("Object missing required field", "missing column").replace(" - at `$.", " in column `")


def _refuse(row: ImportedRow) -> None:
    """Raise ValueError with the remedy for a value that the table would refuse."""
    values = {name: getattr(row, name) for name in COLUMNS}
    check_facts({name: values[name] for name in FACTS})
    message = {name: values[name] for name in MESSAGE & values.keys() - {"id", "agent_decisions", "sent_at"}}
    SentMessage(**message, sent_at=row.sent_at if row.sent_at.tzinfo else row.sent_at.replace(tzinfo=UTC))
