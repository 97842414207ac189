-- Near-duplicates among the kept texts: of the texts that share a band those whose signatures agree. Where few share it each is compared with each,
-- where many do each with the least only, so that the work doesn't grow with the square of a template's copies. A text has the same bands in every week.
create temp table dataset_edges on commit drop as
with entry as (
  select t.text_key, m.signature, b.band
  from (select text_key, min(week) as week from dataset_kept group by 1) t
  join message_bands m on m.week = t.week and m.text_key = t.text_key
  cross join unnest(m.bands) as b (band)
),
shared as materialized (
  select * from (
    select e.*, first_value(text_key) over sharing as least, first_value(signature) over sharing as least_signature,
      count(*) over (partition by band) as texts
    from entry e
    window sharing as (partition by band order by text_key)
  ) numbered
  where texts > 1
)
select text_key, least from shared where text_key <> least and are_near_duplicates(signature, least_signature)
union
select a.text_key, b.text_key
from shared a join shared b on b.band = a.band and b.text_key < a.text_key
where a.texts between 3 and 50 and are_near_duplicates(a.signature, b.signature)
