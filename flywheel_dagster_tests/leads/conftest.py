"""What tests of lead scoring share."""

import pytest


@pytest.fixture
def quick_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    """The true learner, which tries one strength of regularisation in place of seven: a training takes 0.2 s."""
    from flywheel_dagster.leads.learning.logistic import Logistic

    monkeypatch.setattr(Logistic, "settings", (0.3,))
