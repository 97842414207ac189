from flywheel_dagster.build import build_defs

defs = build_defs()
