-- Makes a dataset known; the same bytes again change nothing.
insert into datasets (hash, kind, example_format, formula_version, code_version, train_examples, validation_examples, test_examples,
  train_lines, train_tokens, validation_tokens, test_tokens, positive_examples, deals, weeks, bytes)
values (%(hash)s, %(kind)s, %(example_format)s, formula_version(), %(code_version)s, %(train_examples)s, %(validation_examples)s,
  %(test_examples)s, %(train_lines)s, %(train_tokens)s, %(validation_tokens)s, %(test_tokens)s, %(positive_examples)s, %(deals)s, %(weeks)s,
  %(bytes)s)
on conflict (hash) do nothing
