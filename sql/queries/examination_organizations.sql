-- Whose texts a scope learns from.
select id from organizations
where case when %(scope)s = 'global' then allows_global_training and not redaction_off else id = %(scope)s end
order by id
