-- What is counted: dimensions, their strategies, messages, and rows.
select keys, count(distinct strategy) as strategies, sum(sent) as sent, count(*) as rows
from strategy_weeks
where cardinality(keys) > 0
group by keys
order by cardinality(keys) desc, sum(sent) desc, keys
