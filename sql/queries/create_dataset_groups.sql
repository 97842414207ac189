-- Texts that share a band, each in a group of its own so far.
create temp table dataset_groups on commit drop as
select distinct text_key, text_key as group_key from dataset_bands
