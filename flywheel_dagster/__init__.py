"""Turns the outcomes of sales messages into better models, week after week, honestly."""
