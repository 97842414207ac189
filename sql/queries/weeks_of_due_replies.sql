-- Weeks with replies to judge that came, or changed otherwise, in transactions that the snapshot `seen` could not see and `now` can.
select distinct outcome_week(o.sent_at) as week
from outcome_labels o
where o.replied and o.reply_text is not null and (o.classification_method is null or o.classification_method in ('llm', 'rules'))
  and reply_is_due(o.classification_method, o.classification_version, %(prompt_version)s, %(rules_version)s)
  and (%(seen)s::pg_snapshot is null
    or (o.changed_xid >= pg_snapshot_xmin(%(seen)s::pg_snapshot) and not pg_visible_in_snapshot(o.changed_xid, %(seen)s::pg_snapshot)))
  and (%(seen)s::pg_snapshot is null or pg_visible_in_snapshot(o.changed_xid, %(now)s::pg_snapshot))
order by 1
