"""The ledger of events and its projection `outcome_labels`; nothing about replies' meaning, datasets or models."""
