-- Adds an organisation, or changes what is given (null: as it was; off for a new one).
insert into organizations (id, name, allows_global_training, training_enabled)
values (%(id)s, %(name)s, coalesce(%(share)s, false), coalesce(%(train)s, false))
on conflict (id) do update set
  name = coalesce(excluded.name, organizations.name),
  allows_global_training = coalesce(%(share)s, organizations.allows_global_training),
  training_enabled = coalesce(%(train)s, organizations.training_enabled)
