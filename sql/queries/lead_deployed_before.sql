-- What scored when this version was deployed last; null is the prior.
select (
  select m.version
  from (
    select d.model_id from lead_decisions d
    where d.organization_id = %(organization_id)s and d.action in ('deploy', 'roll_back') and d.id < came.id
    order by d.id desc limit 1
  ) before
  left join lead_models m on m.id = before.model_id
)
from (
  select max(id) as id from lead_decisions
  where organization_id = %(organization_id)s and model_id = %(model_id)s and action = 'deploy'
) came
