-- Every export of these weeks must be written again, wherever it is.
update warehouse_exports set due = true where week = any(%(weeks)s)
