"""The statistics of experiments: cohorts in, verdicts out. Pure functions of arrays and plain values, without database or Dagster."""
