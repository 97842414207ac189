-- The rules of an experiment are fixed with its first look.
update experiments set policy = %(policy)s where id = %(experiment_id)s and policy is null
