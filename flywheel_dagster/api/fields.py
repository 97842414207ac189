"""The kinds of values that requests are made of: what each may be, told once for checking and for the OpenAPI description."""

from typing import Annotated

from fastapi import Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_ID = r"^[^\x00-\x1f\x7f]+$"  # no control characters: PostgreSQL stores no NUL
OrganizationId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_ID)]
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
