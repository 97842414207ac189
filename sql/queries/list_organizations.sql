select o.id, o.name, o.allows_global_training, o.training_enabled, o.deploys_trained, not o.redaction_off,
  (select count(*) from senders s where s.organization_id = o.id), (select count(*) from outcome_labels l where l.organization_id = o.id)
from organizations o order by o.id
