"""What requests about leads are made of: fields and ranges as in `leads/fields.py`, in JSON and in forms. What is done with them is in `routes/leads.py`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, WithJsonSchema
from starlette.datastructures import FormData

from flywheel_dagster.api.fields import Id, RequestBody
from flywheel_dagster.api.forms import given_flag, given_whole
from flywheel_dagster.leads import fields
from flywheel_dagster.leads.writing import Lead


def _attributes(given: object) -> object:
    """Names first, and how many: nothing of a million is looked at."""
    if isinstance(given, Mapping):
        if len(given) > fields.MOST_ATTRIBUTES:
            raise ValueError(f"should be at most {fields.MOST_ATTRIBUTES}")
        for name in given:
            fields.attribute_name(name)
    return given


Attribute = Annotated[
    Any, BeforeValidator(fields.attribute), WithJsonSchema({"type": ["number", "string", "boolean", "null"], "maxLength": fields.LONGEST_WORD,
    "minimum": -fields.LARGEST_NUMBER, "maximum": fields.LARGEST_NUMBER}),
]  # fmt: skip
Attributes = Annotated[
    dict[str, Attribute],
    BeforeValidator(_attributes),
    Field(
        json_schema_extra={
            "maxProperties": fields.MOST_ATTRIBUTES,
            "propertyNames": {"minLength": 1, "maxLength": fields.LONGEST_NAME, "not": {"enum": sorted(fields.TAKEN)}},
        }
    ),
]
Word = Annotated[str, StringConstraints(max_length=fields.LONGEST_WORD, pattern=r"^[^\x00]*$")]


def _count(name: str) -> Any:
    return Annotated[int, Field(ge=0, le=fields.MOST_OF[name])]


class LeadToScore(RequestBody):
    """A lead as it is known now. What isn't known is left out."""

    organization_id: Id | None = Field(
        None, description="Left out: the key's own. With a key of all organizations it has to be named."
    )
    lead_id: Id
    age: _count("age") | None = Field(None, description="Of the person, in years.")  # type: ignore[valid-type]
    location: Word | None = None
    industry: Word | None = None
    email_opens: _count("email_opens") | None = None  # type: ignore[valid-type]
    website_visits: _count("website_visits") | None = None  # type: ignore[valid-type]
    content_downloads: _count("content_downloads") | None = None  # type: ignore[valid-type]
    days_since_contact: _count("days_since_contact") | None = None  # type: ignore[valid-type]
    lead_source: Literal[tuple(fields.LeadSource)] | None = Field(None, examples=["Webinar"])  # type: ignore[valid-type]
    attributes: Attributes = Field(
        default_factory=dict, description="Any further numbers, words, true or false. What helps to score is found out by learning.",
        examples=[{"total_time_on_site": 674, "specialization": "Banking"}],
    )  # fmt: skip
    actual_outcome: bool | None = Field(None, description="Whether the lead converted, where that is known.")

    def lead(self) -> Lead:
        """As the room takes it."""
        known = self.model_dump(include=set(fields.STANDARD), exclude_none=True) | self.attributes
        return Lead(self.lead_id, {name: value for name, value in known.items() if value not in (None, "")}, self.actual_outcome)


class ReasonTold(BaseModel):
    """Why a score is what it is."""

    field: str | None = Field(description="Which of the lead's fields; null: what isn't about one.")
    value: bool | int | float | str | None
    effect: float | None = Field(description="Change of the log-odds against the field's usual value.")
    said: str


class LeadScored(BaseModel):
    """A lead's score, as it was written down."""

    lead_id: str
    conversion_score: float = Field(ge=0, le=1, description="How likely the lead is to convert.")
    risk_category: Literal["high", "medium", "low"] = Field(description="high: likely to convert.")
    timestamp: datetime
    model_version: str = Field(description="prior: no version is deployed yet.")
    reasons: list[ReasonTold] = Field(description="The main ones; none in a batch.")


def lead_of_form(form: FormData) -> dict[str, object]:
    """The object that a form means: blank is missing, numbers are read, and what is no field of its own is an attribute."""
    told: dict[str, object] = {}
    attributes: dict[str, object] = {}
    for name, given in form.multi_items():
        text = given if isinstance(given, str) else ""
        if not text.strip():
            continue
        if name in fields.MOST_OF:
            told[name] = given_whole(text)
        elif name == "actual_outcome":
            told[name] = given_flag(text)
        elif name in fields.TAKEN - {"attributes"}:
            told[name] = text.strip() if name == "lead_source" else text
        else:
            attributes[name] = _recognised(text)
    return told | ({"attributes": attributes} if attributes else {})


def _recognised(text: str) -> object:
    try:
        return fields.read_attribute(text)
    except ValueError:
        return text  # refused with the field's name further on
