select g.id from organizations g where exists (select from outcome_labels o where o.organization_id = g.id and o.campaign_id = %(campaign_id)s) order by g.id limit 2
