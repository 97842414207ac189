-- The first pairs of a dataset: what the two messages came to, and how long they are. No text: metadata is kept elsewhere, and longer.
select w.week, o.channel, o.lead_industry as industry, o.lead_role as role, w.training_label as won_label, w.quality_score as won_quality, w.tokens as won_tokens,
  l.training_label as lost_label, l.quality_score as lost_quality, l.tokens as lost_tokens, w.outcome_id as won, l.outcome_id as lost
from dataset_members w
join dataset_members l on l.dataset_hash = w.dataset_hash and l.side = w.side and l.position = w.position and l.part = 'rejected'
join outcome_labels o on o.id = w.outcome_id
where w.dataset_hash = %(hash)s and w.side = 'train' and w.part = 'preferred'
order by w.position
limit %(limit)s
