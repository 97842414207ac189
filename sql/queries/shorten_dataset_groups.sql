-- Follows each group to the group of its own name giver, so that long chains join in few rounds.
update dataset_groups g set group_key = p.group_key
from dataset_groups p
where p.text_key = g.group_key and p.group_key < g.group_key
