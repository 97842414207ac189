"""The graph as people see it."""

import dagster as dg

from flywheel_dagster.build import build_defs


def test_the_graph_loads_and_every_asset_is_described() -> None:
    defs = build_defs()
    dg.Definitions.validate_loadable(defs)
    for asset in defs.resolve_asset_graph().asset_nodes:
        assert asset.group_name not in (None, "default"), asset.key
        assert asset.owners, asset.key
        assert asset.kinds, asset.key
        assert asset.description, asset.key
        assert asset.code_version or not asset.is_materializable, asset.key
