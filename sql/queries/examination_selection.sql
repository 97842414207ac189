-- By which settings a dataset was chosen for a scope.
select settings from dataset_publications where scope = %(scope)s and dataset_hash = %(hash)s
