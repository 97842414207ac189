"""How good strategies are: one mixed model a metric, rankings, comparisons and suggestions made from it. Pure functions of
arrays and plain values."""
