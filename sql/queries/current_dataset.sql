-- The dataset that a scope has now, with what it is made of.
select d.*, p.candidates, p.dropped, p.settings, p.published_at
from dataset_publications p join datasets d on d.hash = p.dataset_hash
where p.scope = %(scope)s
order by p.published_at desc
limit 1
