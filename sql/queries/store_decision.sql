insert into experiment_decisions (experiment_id, organization_id, arm, registry_id, control_id, policy, verdict, action, provisional, re_examines, age_days,
  window_from, window_to, counts, statistics, criteria, thresholds, code_version, actor)
values (%(experiment_id)s, %(organization_id)s, %(arm)s, %(registry_id)s, %(control_id)s, %(policy)s, %(verdict)s, %(action)s, %(provisional)s,
  %(re_examines)s, %(age_days)s, %(window_from)s, %(window_to)s, %(counts)s, %(statistics)s, %(criteria)s, %(thresholds)s, %(code_version)s, %(actor)s)
returning id, decided_at
