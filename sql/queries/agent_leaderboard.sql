-- The agents of an organization, or of all (null), the best first.
select organization_id, agent, sent, reply_rate, meeting_rate, close_rate, revenue, performance, best_key, best_decision, best_sent, best_performance, rank
from agent_leaderboard
where %(organization_id)s::text is null or organization_id = %(organization_id)s
order by performance desc, sent desc, organization_id, agent
limit %(limit)s
