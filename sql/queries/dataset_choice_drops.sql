-- How many kept rows each reason leaves out after all; no reason: taken.
select dropped, count(*) from dataset_choice group by 1 order by 2 desc, 1
