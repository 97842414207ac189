-- A dataset's members in the order of its manifest.
select outcome_id from dataset_members where dataset_hash = %(hash)s order by side, position, part
