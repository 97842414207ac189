-- Whether there are outcomes at all, since when their counts are up to date, and what the organization is called (null: all of them).
select (select nullif(name, '') from organizations where id = %(organization_id)s) as name,
  exists (select from outcome_labels where %(organization_id)s::text is null or organization_id = %(organization_id)s) as has_outcomes,
  (select min(refreshed_at) from strategy_refreshes where %(organization_id)s::text is null or organization_id = %(organization_id)s) as counted_at
