-- What a reward model may learn from: messages that arrived, to leads of the training side, of which it is known what became of them; none
-- whose words are those of a test message. A share of all where there are too many, always the same one.
select r.example, r.training_label = 'positive_example' as won, r.organization_id || '/' || r.lead_id as lead
from dataset_candidates(
  %(scope)s, %(validation_share)s, %(test_share)s, null, null, true, %(matured_before)s::timestamptz, 0, null) c
join scored_training_rows r on r.outcome_id = c.outcome_id
where c.dropped is null and c.side = 'train' and c.delivered
  and r.text_key not in (
    select t.text_key
    from dataset_members m join scored_training_rows t on t.outcome_id = m.outcome_id
    where m.dataset_hash = %(hash)s and m.side = 'test' and t.text_key is not null)
order by md5(r.outcome_id::text)
limit %(limit)s
