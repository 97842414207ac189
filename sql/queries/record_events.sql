-- Writes events to the ledger and folds them into their outcomes, in one transaction.
select recorded, repeated, unmatched, dropped from record_events(%(events)s::jsonb)
