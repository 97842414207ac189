"""The jobs that schedules, sensors and people start: weeks of replies, of training rows and of exports, and the training of a scope."""

import dagster as dg

from flywheel_dagster.names import (
    AGENT_LEADERBOARD,
    EXPERIMENT_VERDICT,
    FINE_TUNED_MODEL,
    FLYWHEEL_METRICS,
    HELD_MEETINGS,
    LEAD_DRIFT,
    LEAD_FEEDBACK,
    LEAD_SCORING_DEPLOYMENT,
    LEAD_SCORING_MODEL,
    MODEL_EVALUATION,
    MODEL_PERFORMANCE,
    MODEL_REGISTRY_ENTRY,
    OUTCOME_LABELS,
    PLAYBOOKS,
    PREFERENCE_PAIRS,
    REPLY_SENTIMENT,
    SCORED_TRAINING_ROWS,
    STRATEGY_PERFORMANCE,
    TRAINING_JSONL,
    UNMATCHED_EVENTS,
    WAREHOUSE_OUTCOMES,
    WINNING_STRATEGIES,
)

classify_replies = dg.define_asset_job(
    "classify_replies",
    selection=[REPLY_SENTIMENT],
    description="Judge the replies to weeks of messages; any range, in one run or many.",
)

score_weeks = dg.define_asset_job(
    "score_weeks",
    selection=[SCORED_TRAINING_ROWS],
    description="Write weeks of training rows anew; any range, in one run or many.",
)

export_weeks = dg.define_asset_job(
    "export_weeks",
    selection=[WAREHOUSE_OUTCOMES],
    description="Export weeks of training-ready outcomes to the warehouse anew; any range, in one run or many.",
)

train_scope = dg.define_asset_job(
    "train_scope",
    selection=[TRAINING_JSONL, PREFERENCE_PAIRS, FINE_TUNED_MODEL, MODEL_EVALUATION, MODEL_REGISTRY_ENTRY],
    description="Assemble a scope's dataset, train on it, examine the model, and register the version.",
)


def assets_to_train(method: str) -> list[dg.AssetKey]:
    """Those of train_scope that a method needs: examples or preference pairs, and what follows from them."""
    dataset = PREFERENCE_PAIRS if method == "dpo" else TRAINING_JSONL
    return [dg.AssetKey(name) for name in (dataset, FINE_TUNED_MODEL, MODEL_EVALUATION, MODEL_REGISTRY_ENTRY)]


pair_scope = dg.define_asset_job(
    "pair_scope",
    selection=[PREFERENCE_PAIRS],
    description="Match a scope's messages that won with ones that lost.",
)

watch_bases = dg.define_asset_job(
    "watch_bases",
    selection=dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(MODEL_REGISTRY_ENTRY), "bases_stay")),
    description="See whether the bases of the models in use stay, and what would replace those that end.",
)

judge_experiment = dg.define_asset_job(
    "judge_experiment",
    selection=[EXPERIMENT_VERDICT],
    description="Judge a scope's experiment, and look again at promotions that aren't settled.",
)

compare_models = dg.define_asset_job(
    "compare_models",
    selection=dg.AssetSelection.assets(MODEL_PERFORMANCE)
    | dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(OUTCOME_LABELS), "feeds_alive")),
    description="Show what each version achieved, and whether the outcome feeds are alive.",
)

learn_strategies = dg.define_asset_job(
    "learn_strategies",
    selection=[STRATEGY_PERFORMANCE, WINNING_STRATEGIES, AGENT_LEADERBOARD, FLYWHEEL_METRICS],
    description="Count anew what changed by what was decided about messages, and learn which strategies work.",
)

find_playbooks = dg.define_asset_job(
    "find_playbooks",
    selection=[PLAYBOOKS],
    description="Look through all campaigns for the sequences of touches that did better than chance explains.",
)

_LEAD_ASSETS = dg.AssetSelection.assets(LEAD_FEEDBACK, LEAD_SCORING_MODEL, LEAD_SCORING_DEPLOYMENT)
_LEAD_WATCHES = dg.AssetSelection.checks(*(dg.AssetCheckKey(dg.AssetKey(LEAD_SCORING_DEPLOYMENT), name) for name in LEAD_DRIFT))

learn_lead_scores = dg.define_asset_job(
    "learn_lead_scores",
    selection=_LEAD_ASSETS - _LEAD_WATCHES,
    description="Learn an organization's lead model from what its sales team told, and deploy it if it is shown to be better.",
)

watch_lead_scores = dg.define_asset_job(
    "watch_lead_scores",
    selection=_LEAD_WATCHES,
    description="See whether leads, and what becomes of them, are still those that the deployed versions learnt from.",
)

observe_outcomes = dg.define_asset_job(
    "observe_outcomes",
    selection=[OUTCOME_LABELS],
    description="Look at outcome_labels: rows by stage, newest change.",
)

complete_meetings = dg.define_asset_job(
    "complete_meetings",
    selection=[HELD_MEETINGS],
    description="Record the meetings as held whose end has passed.",
)

link_events = dg.define_asset_job(
    "link_events",
    selection=[UNMATCHED_EVENTS],
    description="Decide anew which outcome each event belongs to that names none, and show what is left.",
)

JOBS = [
    observe_outcomes,
    complete_meetings,
    link_events,
    classify_replies,
    score_weeks,
    export_weeks,
    train_scope,
    pair_scope,
    watch_bases,
    compare_models,
    judge_experiment,
    learn_strategies,
    find_playbooks,
    learn_lead_scores,
    watch_lead_scores,
]
