-- The datasets that a message stands in, newest first, and the scopes they were published for.
select m.dataset_hash, d.kind, m.week, m.side, m.part, m.position, m.copies, m.tokens, m.quality_score, m.training_label, m.training_weight,
  d.created_at, d.erased_at,
  array(select p.scope from dataset_publications p where p.dataset_hash = m.dataset_hash order by p.scope) as scopes
from dataset_members m join datasets d on d.hash = m.dataset_hash
where m.outcome_id = %(outcome_id)s
order by d.created_at desc, d.hash
