-- Near-duplicates among the kept texts. Of the texts that share a band each is compared with the least, so that the work doesn't grow with the
-- square of a template's copies. A text has the same bands in every week.
create temp table dataset_edges on commit drop as
with entry as (
  select t.text_key, m.signature, b.band
  from (select text_key, min(week) as week from dataset_kept group by 1) t
  join message_bands m on m.week = t.week and m.text_key = t.text_key
  cross join unnest(m.bands) as b (band)
),
led as (
  select text_key, signature, first_value(text_key) over shared as least, first_value(signature) over shared as least_signature
  from entry
  window shared as (partition by band order by text_key)
)
select distinct text_key, least from led where text_key <> least and are_near_duplicates(signature, least_signature)
