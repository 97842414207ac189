-- Texts that have a near-duplicate, each in a group of its own so far.
create temp table dataset_groups on commit drop as
select text_key, text_key as group_key from (select text_key from dataset_edges union select least from dataset_edges) connected
