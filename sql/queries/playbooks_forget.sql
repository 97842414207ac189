-- A campaign's playbooks by a metric, to be written anew.
delete from playbooks where organization_id = %(organization_id)s and campaign_id = %(campaign_id)s and metric = %(metric)s
