"""Checks on lead scoring, over all organizations at once: whether there is enough to learn from, whether what is learnt from may know of the outcome,
and whether leads and what becomes of them are still those that the deployed versions learnt from. All are warnings: nothing is stopped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

import dagster as dg
from psycopg.rows import dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.names import LEAD_DRIFT, LEAD_FEEDBACK, LEAD_SCORING_DEPLOYMENT, LEAD_SCORING_MODEL
from flywheel_dagster.presentation import band, bars, lines, shortened, table
from flywheel_dagster.resources import Flywheel

if TYPE_CHECKING:
    from flywheel_dagster.leads.delong import Estimate
    from flywheel_dagster.leads.drift import Stability
    from flywheel_dagster.leads.watching import Watch

_SHARE_WITH_OUTCOME = 0.2
_DRAWN, _SHOWN = 12, 50
_FIELDS, _SCORES, _CALIBRATION, _AUC = LEAD_DRIFT
_NOBODY = "no version is deployed"


@dg.asset_check(
    asset=LEAD_FEEDBACK,
    name="enough_told_leads",
    description="Every organization that told of leads has told of enough to decide on a first version: 50, with 10 of each outcome.",
)
def enough_told_leads(flywheel: Flywheel) -> dg.AssetCheckResult:
    """Says how many more leads of which outcome are needed."""
    from flywheel_dagster.leads.gate import missing_rows
    from flywheel_dagster.leads.policies import EVIDENCE

    found = _told(flywheel)
    missing = {
        row["organization_id"]: text
        for row in found
        if (text := missing_rows(row["converted"], row["told"] - row["converted"], EVIDENCE))
    }
    return _checked(missing, otherwise=f"{len(found)} organizations told of enough leads" if found else "nobody told of a lead yet")


@dg.asset_check(
    asset=LEAD_SCORING_MODEL,
    name="features_before_outcomes",
    description=f"No more than {_SHARE_WITH_OUTCOME:.0%} of the leads that a newest version learnt from have only features that came with their outcome.",
)
def features_before_outcomes(flywheel: Flywheel) -> dg.AssetCheckResult:
    """Features of later know of the outcome: a model of them looks better than it is."""
    late = {
        row[
            "organization_id"
        ]: f"{row['card']['with_outcome']:,} of {row['rows']:,} leads were scored only when their outcome was known; "
        "score leads when they come in, without actual_outcome"
        for row in _told(flywheel)
        if row["version"] and row["card"]["with_outcome"] > _SHARE_WITH_OUTCOME * row["rows"]
    }
    return _checked(late, otherwise="leads are scored before their outcome is known")


@dg.asset_check(
    asset=LEAD_SCORING_MODEL,
    name="no_leaking_field",
    description="No field of a newest version looks as if it was filled in because of the outcome.",
)
def no_leaking_field(flywheel: Flywheel) -> dg.AssetCheckResult:
    """Names the fields and why. Those that staff fill in afterwards are to be left out where leads are scored or imported."""
    rows = [
        {
            "organization": row["organization_id"],
            "version": row["version"],
            "field": leak["field"],
            "AUC alone": leak["auc"],
            "why": leak["why"],
        }
        for row in _told(flywheel)
        if row["version"]
        for leak in row["card"]["leaks"]
    ]
    named: dict[str, str] = {}
    for row in rows:
        before = named.get(row["organization"])
        named[row["organization"]] = f"{before}, {row['field']}" if before else f"look at {row['field']}"
    return _checked(named, otherwise="no field predicts too well", metadata={"fields": table(rows[:_SHOWN], none="none")})


def _told(flywheel: Flywheel) -> list[dict[str, Any]]:
    with plain_failures(), flywheel.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("lead_told_counts")).fetchall()


@dg.multi_asset_check(
    name="lead_drift",
    specs=[
        dg.AssetCheckSpec(
            _FIELDS,
            asset=LEAD_SCORING_DEPLOYMENT,
            description="The leads scored last have the fields' values that the deployed versions learnt from (population stability below 0.1, or no more than chance).",
        ),
        dg.AssetCheckSpec(
            _SCORES,
            asset=LEAD_SCORING_DEPLOYMENT,
            description="The scores given last are spread like those of the leads learnt from.",
        ),
        dg.AssetCheckSpec(
            _CALIBRATION,
            asset=LEAD_SCORING_DEPLOYMENT,
            description="As many of the leads told of last converted as their scores said, within 0.05 or chance.",
        ),
        dg.AssetCheckSpec(
            _AUC,
            asset=LEAD_SCORING_DEPLOYMENT,
            description="The AUC on the leads told of last isn't shown to be lower than when the version was learnt.",
        ),
    ],
)
def lead_drift(flywheel: Flywheel) -> Iterator[dg.AssetCheckResult]:
    """Looks at the newest scorings (50 to 500 leads) and at leads told of since that the deployed version hadn't seen, for each organization."""
    from flywheel_dagster.leads.drift import Shift
    from flywheel_dagster.leads.watching import watch

    with plain_failures(), flywheel.connection() as connection:
        names = [row[0] for row in connection.execute(statement("lead_organizations")).fetchall()]
        watches = {name: found for name in names if (found := watch(connection, name)) is not None}
    rows = [_row(name, each) for name, each in watches.items()]
    shown = {"organizations": table(rows[:_SHOWN], none=_NOBODY)}
    moved = {name: [field for field in each.fields if field.shift is not Shift.NONE] for name, each in watches.items()}
    yield _checked(
        {name: ", ".join(_said(field) for field in fields) for name, fields in moved.items() if fields},
        name=_FIELDS,
        otherwise="no field has shifted" if watches else _NOBODY,
        metadata=shown | _plots(watches, _draw_fields),
    )
    yield _checked(
        {name: _said(each.scores) for name, each in watches.items() if each.scores and each.scores.shift is not Shift.NONE},
        name=_SCORES,
        otherwise="scores are spread as before" if watches else _NOBODY,
        metadata=shown,
    )
    yield _checked(
        {
            name: f"{each.newest.observed:.1%} of {each.newest.rows} leads converted, where scores said {each.newest.predicted:.1%}"
            for name, each in watches.items()
            if each.newest and not each.calibration_holds
        },
        name=_CALIBRATION,
        otherwise="as many convert as scores say" if watches else _NOBODY,
        metadata=shown | _plots(watches, _draw_calibration),
    )
    yield _checked(
        {
            name: f"AUC {each.newest.auc.value:.3f} on {each.newest.rows} leads, {each.auc_learnt:.3f} when {each.version.version} was learnt; "
            "look at its fields, and roll back or learn anew"
            for name, each in watches.items()
            if each.newest and each.newest.auc and not each.auc_holds
        },
        name=_AUC,
        otherwise="leads are ranked as well as before" if watches else _NOBODY,
        metadata=shown | _plots(watches, _draw_auc),
    )


def _checked(
    failed: Mapping[str, str], *, otherwise: str, name: str | None = None, metadata: Mapping[str, Any] | None = None
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=None if name is None else dg.AssetKey(LEAD_SCORING_DEPLOYMENT),
        passed=not failed,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{organization}: {text}" for organization, text in failed.items()) or otherwise,
        metadata={"organizations_concerned": len(failed), **(metadata or {})},
    )


def _row(organization: str, watched: "Watch") -> dict[str, object]:
    newest = watched.newest
    return {
        "organization": organization,
        "version": watched.version.version,
        "scored lately": watched.scored,
        "least stable field": _said(watched.fields[0]) if watched.fields else "too few",
        "scores' PSI": f"{watched.scores.psi:.2f}" if watched.scores else "too few",
        "told of since": watched.told,
        "converted / said": f"{newest.observed:.1%} / {newest.predicted:.1%}" if newest else "too few",
        "AUC now / then": f"{newest.auc.value:.3f} / {watched.auc_learnt:.3f}" if newest and newest.auc else "too few",
    }


def _said(field: "Stability") -> str:
    return f"{field.name} {field.psi:.2f} (chance: up to {field.by_chance:.2f})"


def _plots(watches: Mapping[str, "Watch"], draw: "Callable[[str, Watch], Any]") -> dict[str, Any]:
    """Of the first few organizations that have enough leads to draw."""
    drawn = ((name, draw(name, each)) for name, each in watches.items())
    plots = [(name, plot) for name, plot in drawn if plot is not None]
    return {f"plot_{place}": plot for place, (_, plot) in enumerate(plots[:_DRAWN], start=1)}


def _draw_fields(name: str, watched: "Watch") -> Any:
    if not watched.fields:
        return None
    return bars(
        {shortened(field.name): field.psi for field in watched.fields[:_DRAWN]},
        title=f"{shortened(name)}: shift of fields since {watched.version.version} was learnt",
        ylabel="PSI (0.1 some, 0.25 much)",
    )


def _draw_calibration(name: str, watched: "Watch") -> Any:
    if not watched.batches:
        return None
    return lines(
        {
            "converted": [(place, 100 * each.observed) for place, each in enumerate(watched.batches, start=1)],
            "as scores said": [(place, 100 * each.predicted) for place, each in enumerate(watched.batches, start=1)],
        },
        title=f"{shortened(name)}: leads told of since {watched.version.version} was learnt",
        xlabel="batch, in the order in which they were told of",
        ylabel="%",
    )


def _draw_auc(name: str, watched: "Watch") -> Any:
    points = [(float(place), each.auc) for place, each in enumerate(watched.batches, start=1) if each.auc]
    if not points:
        return None
    return band(
        [(place, auc.value, *_bounds(auc)) for place, auc in points],
        title=f"{shortened(name)}: AUC of leads told of since {watched.version.version} was learnt",
        xlabel="batch; the line is the AUC when it was learnt",
        ylabel="AUC",
        at=watched.auc_learnt,
    )


def _bounds(auc: "Estimate") -> tuple[float | None, float | None]:
    return (auc.lower(0.025), auc.upper(0.025)) if isfinite(auc.variance) else (None, None)


LEAD_CHECKS: Sequence[dg.AssetChecksDefinition] = [enough_told_leads, features_before_outcomes, no_leaking_field, lead_drift]
