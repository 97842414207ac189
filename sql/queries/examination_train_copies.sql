-- How often each example of a dataset's training side stands in its file, in the file's order.
select copies
from dataset_members
where dataset_hash = %(hash)s and side = 'train' and part <> 'rejected'
order by position
