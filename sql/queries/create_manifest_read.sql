-- Where a manifest is read to.
create temp table if not exists manifest_read (outcome_id uuid, side text) on commit delete rows
