"""The graph as people see it."""

from pathlib import Path

import dagster as dg

from flywheel_dagster.build import build_defs


def test_the_graph_loads_and_every_asset_is_described(tmp_path: Path) -> None:
    defs = build_defs()
    with dg.DagsterInstance.local_temp(str(tmp_path)):  # Dagster remembers the last instance of the process; here is one that lives
        dg.Definitions.validate_loadable(defs)
    for asset in defs.resolve_asset_graph().asset_nodes:
        assert asset.group_name not in (None, "default"), asset.key
        assert asset.owners, asset.key
        assert asset.kinds, asset.key
        assert asset.description, asset.key
        assert asset.code_version or not asset.is_materializable, asset.key
