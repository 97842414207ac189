"""A real randomised trial of e-mails: 64,000 customers, three arms (../shared/data)."""

import csv
from pathlib import Path

import numpy as np
import pytest

from flywheel_dagster.models.experiments.cohort import Cohort
from flywheel_dagster.models.experiments.difference import difference
from flywheel_dagster.models.experiments.judge import judge
from flywheel_dagster.models.experiments.sample_ratio import sample_ratio
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster.models.experiments.verdict import Verdict

_MOST = 499.0  # USD: spend is scaled by it to [0, 1]
_ARMS = {"No E-Mail": "control", "Mens E-Mail": "variant_a", "Womens E-Mail": "variant_b"}


@pytest.fixture(scope="module")
def trial() -> dict[str, np.ndarray]:
    path = Path(__file__).parents[4] / "shared" / "data" / "hillstrom_email_rct.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    with path.open(newline="", encoding="utf-8") as file:
        rows = [
            (_ARMS[row["segment"]], float(row["visit"]), float(row["conversion"]), float(row["spend"]) / _MOST)
            for row in csv.DictReader(file)
        ]
    arm, *measures = zip(*rows, strict=True)
    third = np.full(len(arm), 1 / 3)
    return {"arm": np.array(arm), "epoch": np.zeros(len(arm), dtype=int), "control_share": third, "variant_share": third} | {
        name: np.array(measure) for name, measure in zip(("visit", "conversion", "spend"), measures, strict=True)
    }


def _cohort(trial: dict[str, np.ndarray], variant: str, measure: str) -> Cohort:
    columns = {name: trial[name] for name in ("arm", "epoch", "control_share", "variant_share")}
    return Cohort.from_columns({**columns, "value": trial[measure]}, variant=variant)


@pytest.mark.parametrize(
    ("variant", "measure", "estimate", "error"),
    [
        ("variant_a", "visit", 0.07658956365153125, 0.003385887811728369),
        ("variant_a", "conversion", 0.006805006519615695, 0.0009208727857351208),
        ("variant_a", "spend", 0.0015427397913718168, 0.000291075271039452),
        ("variant_b", "visit", 0.045233106587052985, 0.0032344620990907504),
        ("variant_b", "conversion", 0.003111057511085258, 0.0008226770775551198),
        ("variant_b", "spend", 0.0008505254828388711, 0.0002611880932448719),
    ],
)
def test_the_known_effects_are_found(
    trial: dict[str, np.ndarray], variant: str, measure: str, estimate: float, error: float
) -> None:
    """statsmodels 0.15.0: CompareMeans(DescrStatsW(x), DescrStatsW(y)).std_meandiff_separatevar and x.mean() - y.mean()."""
    totals = Totals.of(_cohort(trial, variant, measure))
    found = difference(totals, totals.value, totals.value_squared)
    assert (found.estimate, found.standard_error) == pytest.approx((estimate, error), abs=1e-9)


@pytest.mark.parametrize("variant", ["variant_a", "variant_b"])
def test_both_mailings_win_on_conversions_with_alpha_split(trial: dict[str, np.ndarray], variant: str) -> None:
    found = judge(Totals.of(_cohort(trial, variant, "conversion")), days=14, variants=2)
    assert found.verdict is Verdict.PROMOTE and 0 < found.lower < (found.estimate or 0)


def test_its_shares_are_right_and_wrong_once_a_tenth_of_an_arm_is_gone(trial: dict[str, np.ndarray]) -> None:
    whole = _cohort(trial, "variant_a", "conversion")
    assert sample_ratio(Totals.of(whole)).p_value > 0.9
    lost = whole.variant & (np.cumsum(whole.variant) % 10 == 0)
    found = judge(Totals.of(Cohort(**{name: column[~lost] for name, column in vars(whole).items()})), days=14)
    assert found.verdict is Verdict.INCONCLUSIVE and "sample-ratio mismatch" in found.reason
