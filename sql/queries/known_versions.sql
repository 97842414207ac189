-- The newest versions of a scope (null: of all).
select scope, model_version from model_registry where %(scope)s::text is null or scope = %(scope)s order by created_at desc, id limit %(limit)s
