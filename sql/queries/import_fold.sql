-- Outcomes that were there before, or have several new events: events of another organisation stay apart, the rest folds.
with foreign_events as (
  update webhook_events e set matched = false, unmatched_reason = 'outcome belongs to another organization'
  from outcome_labels o
  where e.outcome_id = any (%(ids)s) and o.id = e.outcome_id and e.matched and o.organization_id <> e.organization_id
)
select 1
