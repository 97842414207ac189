-- The dataset of a kind that a scope has now, with what it is made of. One whose files had to be erased is none.
select *
from (
  select d.*, p.candidates, p.dropped, p.settings, p.published_at
  from dataset_publications p join datasets d on d.hash = p.dataset_hash
  where p.scope = %(scope)s and d.kind = %(kind)s
  order by p.published_at desc
  limit 1
) latest
where erased_at is null
