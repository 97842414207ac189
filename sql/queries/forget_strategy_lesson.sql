with outdated as (
  delete from strategy_estimates where organization_id = %(organization_id)s and keys = %(keys)s::text[]
)
delete from strategy_lessons where organization_id = %(organization_id)s and keys = %(keys)s::text[]
