"""The kinds of values that requests are made of: what each may be, told once for checking and for the OpenAPI description."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

_DEEPEST = 10
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _from_text(kind: Any) -> BeforeValidator:
    """JSON has texts for what is more than a text."""
    return BeforeValidator(lambda given: kind(given) if isinstance(given, str) else given)


def _happened(at: datetime) -> datetime:
    if not datetime(2000, 1, 1, tzinfo=UTC) <= at <= datetime.now(UTC) + timedelta(days=1):
        raise ValueError("should lie between the year 2000 and now")
    return at


def _storable(given: dict[str, Any]) -> dict[str, Any]:
    """JSON that PostgreSQL can store."""
    waiting: list[tuple[object, int]] = [(given, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str) and _UNSTORABLE.search(value):
            raise ValueError("should hold no NUL and no half of a surrogate pair")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("should hold finite numbers only")
        inside = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
        if inside and depth > _DEEPEST:
            raise ValueError(f"should be at most {_DEEPEST} levels deep")
        waiting += [(each, depth + 1) for each in inside]
    return given


_ID = r"^[^\x00-\x1f\x7f]+$"  # no control characters: PostgreSQL stores no NUL
Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_ID)]
OrganizationId = Id
Words = Annotated[str, StringConstraints(max_length=100_000, pattern=r"^[^\x00]*$")]
ShortWords = Annotated[str, StringConstraints(min_length=1, max_length=1_000, pattern=r"^[^\x00]*$")]
Unique = Annotated[UUID, _from_text(UUID)]
Moment = Annotated[AwareDatetime, _from_text(datetime.fromisoformat)]
Past = Annotated[Moment, AfterValidator(_happened)]
Decisions = Annotated[dict[str, Any], AfterValidator(_storable)]
Probability = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Version = Annotated[
    str, StringConstraints(pattern=r"^v(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$", max_length=24)
]
Share = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False, description="Per cent of the scope's traffic.")]

TrainingId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=200,
        pattern=r"^[A-Za-z0-9._:-]+$",
        description="A run's id, or the provider's id of the fine-tuning job.",
    ),
]
OfOrganization = Annotated[
    OrganizationId | None, Query(description="Only of this organization; left out: of all that the key may see.")
]
WhichOrganization = Annotated[
    OrganizationId | None, Query(description="Whose; left out: the key's own. With a key of all organizations it has to be named.")
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
        description="Any text that names this request, such as a UUID: the same request sent again with it launches nothing again.",
    ),
]


class RequestBody(BaseModel):
    """A JSON object whose fields are all known, and of the very type that is named."""

    model_config = ConfigDict(extra="forbid", strict=True)
