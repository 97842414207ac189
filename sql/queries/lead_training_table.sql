select lead_id, features, converted, told_at, with_outcome, row_group
from lead_training_rows where organization_id = %(organization_id)s
order by lead_id collate "C"
