insert into lead_models (organization_id, version, estimator, artifact, data_sha256, options_sha256, rows, feedback_through, metrics, card, run_id)
select %(organization_id)s, coalesce('1.' || 1 + max(split_part(m.version, '.', 2)::int), '1.0'),
  %(estimator)s, %(artifact)s, %(data_sha256)s, %(options_sha256)s, %(rows)s, %(through)s, %(metrics)s, %(card)s, %(run_id)s
from lead_models m where m.organization_id = %(organization_id)s
returning id, version
