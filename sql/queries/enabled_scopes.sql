select scope from enabled_scopes order by scope <> 'global', scope
