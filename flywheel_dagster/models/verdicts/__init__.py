"""Verdicts on running experiments: reads what became of their units, judges it (`experiments/`), keeps the record, and acts on it."""
