-- How often a version was compared with the one that is deployed.
select count(*) from lead_decisions
where organization_id = %(organization_id)s and action in ('deploy', 'keep') and numbers ->> 'deployed' is not distinct from %(deployed)s
