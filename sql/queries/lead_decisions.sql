-- The newest first. `version` is the one that was judged, or that was rolled back to (null: the prior), `deployed` the one that stood before.
select d.id, d.action, m.version, before.version as deployed, d.reason, d.numbers, d.decided_by, d.decided_at
from lead_decisions d
left join lead_models m on m.id = d.model_id
left join lead_models before on before.id = (d.numbers ->> 'deployed')::uuid
where d.organization_id = %(organization_id)s
order by d.id desc limit %(limit)s
