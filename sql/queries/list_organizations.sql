select o.id, o.name, o.allows_global_training, o.training_enabled, (select count(*) from outcome_labels l where l.organization_id = o.id)
from organizations o order by o.id
