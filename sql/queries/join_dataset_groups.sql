-- Each text takes the least group among its near-duplicates; none changes once all that hang together are one group.
with beside as (
  select e.text_key, g.group_key from dataset_edges e join dataset_groups g on g.text_key = e.least
  union all
  select e.least, g.group_key from dataset_edges e join dataset_groups g on g.text_key = e.text_key
),
least as (
  select text_key, min(group_key) as group_key from beside group by 1
)
update dataset_groups g set group_key = l.group_key
from least l
where g.text_key = l.text_key and l.group_key < g.group_key
