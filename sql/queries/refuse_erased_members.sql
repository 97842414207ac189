select refuse_erased(array_fill(%(organization_id)s::text, array[cardinality(%(lead_ids)s::text[])]), %(lead_ids)s::text[], null, null)
