-- The first time that a unit is given an arm; again, nothing.
insert into model_exposures (experiment_id, organization_id, unit, arm, epoch, registry_id, campaign_id)
values (%(experiment_id)s, %(organization_id)s, %(unit)s, %(arm)s, %(epoch)s, %(registry_id)s, %(campaign_id)s)
on conflict do nothing
