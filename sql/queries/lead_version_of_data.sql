-- The version that was made of this data in this way, which now knows all feedback up to `through`.
update lead_models set feedback_through = greatest(feedback_through, %(through)s)
where organization_id = %(organization_id)s and data_sha256 = %(data_sha256)s and options_sha256 = %(options_sha256)s
returning version
