-- Whether there are outcomes at all, since when their counts are up to date, and whether the organization is known and what it is called (null: all of them).
select exists (select from organizations where id = %(organization_id)s) as is_known, (select nullif(name, '') from organizations where id = %(organization_id)s) as name,
  exists (select from outcome_labels where %(organization_id)s::text is null or organization_id = %(organization_id)s) as has_outcomes,
  (select min(refreshed_at) from strategy_refreshes where %(organization_id)s::text is null or organization_id = %(organization_id)s) as counted_at
