-- Adds an organisation, or changes what is given (null: as it was; off for a new one, but for redaction).
insert into organizations (id, name, allows_global_training, training_enabled, deploys_trained, redaction_off)
values (%(id)s, %(name)s, coalesce(%(share)s, false), coalesce(%(train)s, false), coalesce(%(deploy)s, false), not coalesce(%(redact)s, true))
on conflict (id) do update set
  name = coalesce(excluded.name, organizations.name),
  allows_global_training = coalesce(%(share)s, organizations.allows_global_training),
  training_enabled = coalesce(%(train)s, organizations.training_enabled),
  deploys_trained = coalesce(%(deploy)s, organizations.deploys_trained),
  redaction_off = coalesce(not %(redact)s::boolean, organizations.redaction_off)
