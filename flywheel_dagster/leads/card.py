"""What is kept about a version for people, as plain JSON: how good it is where it had not looked, which fields tell most, and what to beware of."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from flywheel_dagster.leads.delong import interval
from flywheel_dagster.leads.learning.leakage import leaking_fields
from flywheel_dagster.leads.learning.learn import Learnt, Options
from flywheel_dagster.leads.learning.model import LeadModel
from flywheel_dagster.leads.told import ToldLeads

_ASKED, _SHOWN = 200, 15


def metrics_of(told: ToldLeads, learnt: Learnt) -> dict[str, Any]:
    """All of the report's numbers, and the interval (95 %) of the AUC out of fold."""
    low, high = interval([row.converted for row in told.rows], learnt.out_of_fold)
    report = {name: value for name, value in learnt.report.as_json().items() if name != "notes"}
    return {**report, "auc_low": low, "auc_high": high}


def card_of(told: ToldLeads, learnt: Learnt, options: Options) -> dict[str, Any]:
    """Fields, warnings and options."""
    return {
        "fields": list(learnt.model.fields),
        "telling": telling_fields(learnt.model, [row.features for row in told.rows]),
        "leaks": [leak._asdict() for leak in leaking_fields(told.table())],
        "notes": learnt.report.as_json()["notes"],
        "with_outcome": told.with_outcome,
        "options": asdict(options),
    }


def telling_fields(model: LeadModel, rows: Sequence[Mapping[str, object]]) -> list[tuple[str, float]]:
    """The fields that move scores most, with the mean change of log-odds, up or down, against a lead with the field's usual value; over up to 200
    leads spread evenly over the rows."""
    asked = rows[:: max(1, len(rows) // _ASKED)][:_ASKED]
    moved: defaultdict[str, float] = defaultdict(float)
    for row in asked:
        for reason in model.reasons(row, most=len(model.fields)):
            moved[reason.field] += abs(reason.effect) / len(asked)
    return sorted(moved.items(), key=lambda each: (-each[1], each[0]))[:_SHOWN]
