"""The LoRA adapters that this machine trained, as far as files tell: DIRECTORY/MODEL/adapter as PEFT writes it, beside a `job.json` with its base.

They are looked up whenever they are asked for. How they answer is in `adapters_answers.py`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Adapter:
    """An adapter's folder and the base it belongs to; `alone`: the base answers without it."""

    name: str
    folder: Path
    base: str
    alone: bool = False

    def as_wire(self) -> dict[str, Any]:
        """The model object of the API."""
        created = int(self.folder.stat().st_mtime)
        return {"id": self.name, "object": "model", "created": created, "owned_by": "flywheel-lora", "shutdown_date": None}


class Adapters:
    """All adapters below a directory (None: there are none)."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def find(self, name: str) -> Adapter | None:
        """The adapter of that name, or the base that one of them was trained on."""
        for adapter, base_name in self._all():
            if name == adapter.name:
                return adapter
            if name == base_name:
                return Adapter(name, adapter.folder, adapter.base, alone=True)
        return None

    def served(self) -> list[Adapter]:
        """All adapters, without their bases."""
        return [adapter for adapter, _ in self._all()]

    def _all(self) -> Iterator[tuple[Adapter, str]]:
        for config in sorted(self._directory.glob("*/adapter/adapter_config.json")) if self._directory else ():
            folder = config.parent
            order = folder.parent / "job.json"
            if order.is_file():
                base: str = json.loads(config.read_bytes())["base_model_name_or_path"]
                yield Adapter(folder.parent.name, folder, base), json.loads(order.read_bytes())["base_model"]
