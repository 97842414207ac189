insert into lead_model_members (model_id, lead_id, out_of_fold, row_group)
select %(model_id)s, m.lead_id, m.out_of_fold, m.row_group
from unnest(%(lead_ids)s::text[], %(out_of_fold)s::float8[], %(row_groups)s::text[]) as m (lead_id, out_of_fold, row_group)
