-- Each text takes the least group among the texts that it shares a band with; none changes once all that hang together are one group.
with band_least as (
  select b.band, min(g.group_key) as least from dataset_bands b join dataset_groups g using (text_key) group by 1
),
text_least as (
  select b.text_key, min(l.least) as least from dataset_bands b join band_least l using (band) group by 1
)
update dataset_groups g set group_key = t.least
from text_least t
where g.text_key = t.text_key and t.least < g.group_key
