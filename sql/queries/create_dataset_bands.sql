-- Each text's bands, as far as another text shares them. A text has the same bands in every week.
create temp table dataset_bands on commit drop as
with entry as (
  select t.text_key, b.band, count(*) over (partition by b.band) as texts
  from (select text_key, min(week) as week from dataset_kept group by 1) t
  join message_bands m on m.week = t.week and m.text_key = t.text_key
  cross join unnest(m.bands) as b (band)
)
select text_key, band from entry where texts > 1
