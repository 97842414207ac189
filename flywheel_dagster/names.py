"""Words that several Dagster definitions share: groups, owners, pools, kinds. Nothing else."""

GROUP_OUTCOMES = "outcomes"
GROUP_TRAINING = "training"
GROUP_MODELS = "models"
GROUP_STRATEGIES = "strategies"
GROUP_LEADS = "leads"

POOL_REPLY_MODEL = "reply_model"

OWNER_DATA = "team:data-engineering"
OWNER_MODELS = "team:machine-learning"
OWNER_STRATEGIES = "team:sales-strategy"

OUTCOME_LABELS = "outcome_labels"
UNMATCHED_EVENTS = "unmatched_events"
HELD_MEETINGS = "held_meetings"
REPLY_SENTIMENT = "reply_sentiment"
SCORED_TRAINING_ROWS = "scored_training_rows"
TRAINING_JSONL = "training_jsonl"
PREFERENCE_PAIRS = "preference_pairs"
WAREHOUSE_OUTCOMES = "warehouse_outcomes"
FINE_TUNED_MODEL = "fine_tuned_model"
MODEL_EVALUATION = "model_evaluation"
MODEL_REGISTRY_ENTRY = "model_registry_entry"
MODEL_PERFORMANCE = "model_performance"
EXPERIMENT_VERDICT = "experiment_verdict"
PLAYBOOKS = "playbooks"
STRATEGY_PERFORMANCE = "strategy_performance"
WINNING_STRATEGIES = "winning_strategies"
AGENT_LEADERBOARD = "agent_leaderboard"
FLYWHEEL_METRICS = "flywheel_metrics"
LEAD_FEEDBACK = "lead_feedback"
LEAD_SCORING_MODEL = "lead_scoring_model"
LEAD_SCORING_DEPLOYMENT = "lead_scoring_deployment"

GLOBAL_SCOPE = "global"

LEAD_DRIFT = ("fields_are_stable", "scores_are_stable", "calibration_holds", "auc_holds")
