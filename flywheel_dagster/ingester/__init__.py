"""The front door: a small HTTP service that checks who sends, reads what they report, and writes it to the ledger. Never imports Dagster."""
