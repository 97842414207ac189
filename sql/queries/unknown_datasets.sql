-- Which of these names no dataset has.
select n.name
from unnest(%(names)s::text[]) as n (name)
where not exists (select from datasets d where d.hash = n.name)
order by 1
