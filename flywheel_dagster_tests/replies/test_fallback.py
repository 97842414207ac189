"""Who judges replies when no language model does: FLYWHEEL_REPLY_HEAD and what is installed decide."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from flywheel_dagster.errors import SettingsError
from flywheel_dagster.replies import fallback
from flywheel_dagster.replies.fallback import OfflineReply, head_in_use, judge_many_offline, judge_offline
from flywheel_dagster.replies.head import encoder, weights
from flywheel_dagster.replies.own_words import own_words
from flywheel_dagster.replies.rules.classify import classify_by_rules
from flywheel_dagster_tests.replies.head.making import needs_extra

WORDS = own_words("Could you show us how it works on Thursday?")


@pytest.fixture(autouse=True)
def _as_in_a_new_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("FLYWHEEL_REPLY_HEAD", raising=False)
    head_in_use.cache_clear()
    weights.shipped_weights.cache_clear()
    yield
    head_in_use.cache_clear()
    weights.shipped_weights.cache_clear()


@pytest.fixture
def without_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (encoder, weights, fallback):
        monkeypatch.setattr(module, "encoder_version", lambda: None)


def test_off_means_rules_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_REPLY_HEAD", "off")
    assert judge_offline(WORDS) == classify_by_rules(WORDS)


@pytest.mark.usefixtures("without_extra")
def test_auto_without_the_extra_means_rules_alone() -> None:
    assert judge_offline(WORDS, automatic=True) == classify_by_rules(WORDS, automatic=True)
    assert judge_many_offline([OfflineReply(WORDS), OfflineReply(WORDS, unsubscribe=True)])[1]["wants_unsubscribe"]


@pytest.mark.usefixtures("without_extra")
def test_on_without_the_extra_is_an_error_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_REPLY_HEAD", "on")
    with pytest.raises(SettingsError, match=r'pip install "flywheel-dagster\[head\]"'):
        judge_offline(WORDS)


def test_a_wrong_value_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_REPLY_HEAD", "perhaps")
    with pytest.raises(SettingsError, match="FLYWHEEL_REPLY_HEAD"):
        judge_offline(WORDS)


@needs_extra
def test_auto_with_the_extra_means_the_head() -> None:
    analysis = judge_offline(WORDS)
    assert analysis["sentiment_label"] == "positive"
    assert (analysis["model"] or "").startswith("head-")


def test_weights_that_do_not_fit_are_told_once_and_rules_judge_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fallback, "encoder_version", lambda: "0.0.1")
    monkeypatch.setattr(weights, "encoder_version", lambda: "0.0.1")
    with caplog.at_level(logging.WARNING):
        assert judge_offline(WORDS) == judge_offline(WORDS) == classify_by_rules(WORDS)
    assert len(caplog.records) == 1
    assert "another encoder's version" in caplog.text
    monkeypatch.setenv("FLYWHEEL_REPLY_HEAD", "on")
    head_in_use.cache_clear()
    with pytest.raises(SettingsError, match="another encoder's version"):
        judge_offline(WORDS)


def test_a_given_head_is_named_in_the_analysis() -> None:
    shipped = weights.read_weights(weights.FILE.read_bytes())
    assert replace(shipped, origin=replace(shipped.origin, encoder="other")).name == "head-1 other"
