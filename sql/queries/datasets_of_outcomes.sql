-- The datasets in which any of these outcomes stand, and how many of them.
select d.hash, d.kind, array(select p.scope from dataset_publications p where p.dataset_hash = d.hash order by 1) as scopes,
  d.created_at, d.erased_at, m.messages
from (select dataset_hash, count(*) as messages from dataset_members where outcome_id = any(%(ids)s) group by 1) m
join datasets d on d.hash = m.dataset_hash
order by d.created_at, d.hash
