import numpy as np
import pytest

from flywheel_dagster.errors import InputError
from flywheel_dagster.models.experiments.cohort import Cohort
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster_tests.models.experiments.making import fixed_cohort

_THREE = {"epoch": [0, 0, 1], "share": [0.1, 0.1, 0.5], "value": [0.0, 0.2, 1.0]}


def test_what_is_not_given_did_not_happen() -> None:
    cohort = Cohort.of([False, True, True], **_THREE)
    assert not cohort.bounced.any() and cohort.cost_usd.sum() == 0 and np.isnan(cohort.sentiment).all()


def test_nothing_known_is_none_as_a_database_gives_it() -> None:
    cohort = Cohort.of([False, True, True], **_THREE, sentiment=[None, 0.5, None], deal=[None, True, False])
    assert np.isnan(cohort.sentiment).tolist() == [True, False, True] and cohort.deal.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"value": [0.0, 1.5, 1.0]}, "value is 1.5 for a unit; it lies from 0 to 1"),
        ({"value": [0.0, float("nan"), 1.0]}, "value is nan"),
        ({"share": [0.1, 0.1, 1.0]}, "share is 1 for a unit; it lies between 0 and 1"),
        ({"share": [0.1, 0.2, 0.5]}, "the share changes within epoch 0"),
        ({"value": [0.0, 0.2]}, "give one value a unit"),
        ({"cost_usd": [-1, 0, 0]}, "cost_usd is -1"),
        ({"sentiment": [2, 0, 0]}, "sentiment is 2"),
        ({"epoch": [0.5, 0, 1]}, "epoch holds something that is no int64"),
        ({"value": ["a", "b", "c"]}, "value holds something that is no float64"),
        ({"deal": [0, 2, 1]}, "deal holds something that is no bool"),
        ({"opened": True}, "a cohort has no opened"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Cohort.of([False, True, True], **{**_THREE, **wrong})


def test_one_comparison_of_two_leaves_the_other_variant_out_and_renormalises_the_share() -> None:
    columns = {
        "arm": ["control", "variant_a", "variant_b", "control"],
        "epoch": [0, 0, 0, 1],
        "control_share": [0.8, 0.8, 0.8, 0.5],
        "variant_share": [0.1, 0.1, 0.1, 0.25],
        "value": [0.0, 0.2, 0.5, 1.0],
        "deal": [False, False, True, True],
    }
    cohort = Cohort.from_columns(columns, variant="variant_a")
    assert cohort.variant.tolist() == [False, True, False]
    assert cohort.share.tolist() == pytest.approx([1 / 9, 1 / 9, 1 / 3])
    assert cohort.deal.tolist() == [False, False, True]


def test_a_unit_of_an_arm_without_a_share_is_refused() -> None:
    columns = {"arm": ["control"], "epoch": [0], "control_share": [1.0], "variant_share": [0.0], "value": [0.0]}
    with pytest.raises(InputError, match="had no share"):
        Cohort.from_columns(columns, variant="variant_a")


def test_totals_of_looks_are_those_of_the_first_units() -> None:
    cohort = fixed_cohort()
    whole = Totals.of(cohort)
    looks = Totals.of(cohort, ends=np.array([0, 100, 400, 600]))
    assert looks.units.sum(axis=(-2, -1)).tolist() == [0, 100, 400, 600]
    assert looks.at(3).value == pytest.approx(whole.value) and looks.at(-1).cost_of_met == pytest.approx(whole.cost_of_met)
    assert whole.sentiments.sum() == cohort.replied.sum() and whole.units[:, 1].sum() == cohort.variant.sum()


def test_looks_descend_not() -> None:
    with pytest.raises(InputError, match="ascending"):
        Totals.of(fixed_cohort(), ends=np.array([100, 50]))


def test_nobody_is_a_cohort_too() -> None:
    totals = Totals.of(Cohort.of([], epoch=[], share=[], value=[]))
    assert totals.units.shape == (0, 2)
