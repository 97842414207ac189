-- A dataset whose files were erased may come about again to the byte, from other messages of the same words; then it has other members.
with revived as (
  update datasets set erased_at = null where hash = %(hash)s and erased_at is not null returning hash
)
delete from dataset_members m using revived r where m.dataset_hash = r.hash
