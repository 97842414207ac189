"""The assets, one file a stage: each reads its inputs, calls a room, and returns what a person wants to see."""

import warnings

# Dagster has called these two beta for years; whoever starts `dg dev` need not read it each time.
warnings.filterwarnings("ignore", message=r".*`(multi_observable_source_asset|backfill_policy)`.* is currently in beta")
