import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.estimate.balance import imbalances
from flywheel_dagster.strategies.estimate.cells import Cells
from flywheel_dagster.strategies.estimate.held import held

A, B, C = ("a", "x"), ("b", "x"), ("c", "x")


def _segments(number: int) -> list[tuple[str, str, str, str]]:
    return [("email", f"industry {k}", "", "") for k in range(number)]


def _cells(tables: list[tuple[float, float, float, float]]) -> Cells:
    """By segment trials and successes of A, then of B."""
    segments = _segments(len(tables))
    n, a, m, b = zip(*tables, strict=True)
    return Cells([A] * len(tables) + [B] * len(tables), segments * 2, [*n, *m], [*a, *b])


def test_it_is_the_textbooks() -> None:
    """Rothman, Greenland & Lash, Modern Epidemiology, 3rd edition, table 15-1 (tolbutamide): 0.035, 90 % limits -0.018 and
    0.088; metafor 4's rma.mh gives 0.0349, -0.0176 and 0.0874."""
    found = held(_cells([(106, 8, 120, 5), (98, 22, 85, 16)]), A)
    assert found.difference == pytest.approx(0.0349, abs=5e-5)
    assert found.difference - 1.6448536 * found.standard_error == pytest.approx(-0.0176, abs=5e-5)
    assert found.difference + 1.6448536 * found.standard_error == pytest.approx(0.0874, abs=5e-5)
    assert found.segments == 2 and found.share_compared == 1.0


def test_its_numerator_is_that_of_the_cochran_mantel_haenszel_test() -> None:
    """statsmodels 0.15.0: StratifiedTable([[[8, 98], [5, 115]], [[22, 76], [16, 69]]]).test_null_odds().statistic is
    1.191400187276447."""
    found = held(_cells([(106, 8, 120, 5), (98, 22, 85, 16)]), A)
    assert found.difference is not None
    n, m, s = np.array([106, 98]), np.array([120, 85]), np.array([13, 38])
    whole = n + m
    variance = (n * m * s * (whole - s) / (whole**2 * (whole - 1))).sum()
    assert (found.difference * (n * m / whole).sum()) ** 2 / variance == pytest.approx(1.191400187276447, abs=1e-12)


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 40), st.integers(1, 40), st.integers(0, 40)), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_it_is_the_coefficient_of_a_least_squares_regression_with_an_intercept_a_segment(
    tables: list[tuple[int, int, int, int]],
) -> None:
    tables = [(n, min(a, n), m, min(b, m)) for n, a, m, b in tables]
    found = held(_cells([tuple(map(float, each)) for each in tables]), A)  # type: ignore[misc]
    rows, outcome = [], []
    for place, (n, a, m, b) in enumerate(tables):
        for arm, trials, successes in ((1.0, n, a), (0.0, m, b)):
            rows += [[arm, *(float(place == each) for each in range(len(tables)))]] * trials
            outcome += [1.0] * successes + [0.0] * (trials - successes)
    coefficient = np.linalg.lstsq(np.array(rows), np.array(outcome), rcond=None)[0][0]
    assert found.difference == pytest.approx(coefficient, abs=1e-9)
    assert found.standard_error >= 0


@pytest.mark.parametrize(("segments", "size"), [(3, 400), (200, 2)])
def test_its_interval_covers_with_few_large_segments_and_with_many_small_ones(segments: int, size: int) -> None:
    random = np.random.default_rng(5)
    base = random.uniform(0.05, 0.3, segments)
    missed = 0
    for _ in range(250):
        a, b = random.binomial(size, base + 0.04), random.binomial(size, base)
        found = held(_cells([(size, float(one), size, float(two)) for one, two in zip(a, b, strict=True)]), A)
        missed += not found.lower <= 0.04 <= found.upper
    assert 0.016 < missed / 250 < 0.09


def test_only_segments_with_both_are_compared() -> None:
    cells = Cells([A, A, B], [_segments(2)[0], _segments(2)[1], _segments(2)[0]], [10, 30, 10], [5, 30, 1])
    found = held(cells, A)
    assert found.difference == pytest.approx(0.4) and found.segments == 1 and found.share_compared == 0.25
    alone = held(Cells([A], _segments(1), [10], [5]), A)
    assert alone.difference is None and alone.share_compared == 0.0
    with pytest.raises(InputError, match="has no messages; there are a_x"):
        held(Cells([A], _segments(1), [10], [5]), B)


def test_leads_of_another_mix_are_warned_of_by_field_and_value() -> None:
    saas, retail = ("email", "SaaS", "CEO", ""), ("email", "Retail", "CEO", "")
    cells = Cells([A, A, B, B], [saas, retail, saas, retail], [160, 40, 80, 120], [0] * 4)
    (found,) = imbalances(cells, A)
    assert (found.field, found.share, found.share_of_others, found.large) == ("industry", 0.8, 0.4, True)
    assert found.value in ("SaaS", "Retail")
    assert abs(found.difference) == pytest.approx(0.4 / np.sqrt((0.16 + 0.24) / 2))
    assert "a_x went to other leads than the rest: industry" in found.text and "80% of its messages" in found.text


def test_a_difference_that_chance_explains_is_not_warned_of() -> None:
    saas, retail = ("email", "SaaS", "", ""), ("email", "Retail", "", "")
    assert imbalances(Cells([A, A, B, B], [saas, retail] * 2, [6, 4, 50, 50], [0] * 4), A) == []
    assert imbalances(Cells([A], [saas], [10], [0]), A) == []
    (none_of_it,) = imbalances(Cells([A, B], [saas, retail], [100, 100], [0] * 2), A)
    assert none_of_it.large and np.isinf(none_of_it.difference)


def test_an_unknown_value_is_named_so() -> None:
    found = imbalances(Cells([A, A, B, C], [("email", "", "", ""), ("email", "SaaS", "", "")] * 2, [90, 10, 10, 90], [0] * 4), A)
    assert "industry unknown is 90%" in found[0].text or "industry SaaS is 10%" in found[0].text
