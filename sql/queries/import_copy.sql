-- Lines of `import_rows.Stager`: everything is quoted, by characters that texts don't have, and empty means null.
copy import_stage ({columns}) from stdin (format csv, quote e'\x01', delimiter e'\x02', force_null ({columns}))
