-- How many outcomes weeks have, counted no further than `enough`.
select count(*)
from (select from outcome_labels where outcome_week(sent_at) between %(first)s and %(last)s limit %(enough)s) counted
