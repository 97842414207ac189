-- Until the transaction ends: what a member of the organization may see.
select set_config('role', 'flywheel_member', true), set_config('flywheel.organization_id', %(organization_id)s, true)
