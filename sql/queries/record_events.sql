-- Writes events to the ledger and folds them into their outcomes, in one transaction.
select recorded, repeated, unmatched from record_events(%(events)s::jsonb)
