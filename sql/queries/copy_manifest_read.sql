copy manifest_read (outcome_id, side) from stdin
