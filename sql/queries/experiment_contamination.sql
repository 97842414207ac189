-- Units that a ramp moved into another arm than their first.
select count(*) from (
  select from model_exposures where experiment_id = %(experiment_id)s group by organization_id, unit having count(*) > 1
) moved
