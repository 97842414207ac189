-- Whether somebody has changed a scope's models already, such as a run that was started again after its worker died.
select exists (select from model_changes where scope = %(scope)s and actor = %(actor)s)
