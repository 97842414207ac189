select id, coalesce(nullif(name, ''), id) as name from organizations order by 2, 1 limit %(organizations)s
