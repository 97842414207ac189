-- The provider no longer knows the job, so that what came of it is lost.
update fine_tuning_jobs set status = 'failed', error = 'the provider no longer knows the job', finished_at = clock_timestamp() where id = %(id)s
