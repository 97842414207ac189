-- Makes a dataset known; the same bytes again change nothing.
insert into datasets (hash, example_format, formula_version, code_version, train_examples, validation_examples, positive_examples, deals, weeks, bytes)
values (%(hash)s, %(example_format)s, formula_version(), %(code_version)s, %(train)s, %(validation)s, %(positive)s, %(deals)s, %(weeks)s, %(bytes)s)
on conflict (hash) do nothing
