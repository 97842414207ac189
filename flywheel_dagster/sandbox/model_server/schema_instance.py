"""Making one instance that is valid under a JSON schema, always the same for the same text. No HTTP and no model here.

Knows the part of JSON schema that structured outputs allow. `pattern` is not honoured (a string matching it can't be made in general).
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flywheel_dagster.sandbox.model_server.tokens import words

_DEEPEST = 8
_GLAD = frozenset(
    words(
        "accept agree amazing awesome definitely excellent excited fantastic glad good great happy helpful impressed interested "
        "interesting like love perfect please pleased schedule sounds sure thank thanks useful welcome wonderful yes"
    )
)
_CROSS = frozenset(
    words(
        "angry annoyed annoying awful bad cancel complaint disappointed don frustrated hate never no not pass poor remove report spam "
        "stop terrible unhappy unsubscribe useless waste wrong"
    )
)
_FORMATS = {
    "date": "2026-01-15",
    "date-time": "2026-01-15T09:00:00Z",
    "time": "09:00:00Z",
    "duration": "P1D",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def make_instance(schema: Mapping[str, Any], text: str) -> Any:
    """An instance of the schema, chosen by the text: enumerations by its words and mood, numbers and the rest by its hash."""
    return _Maker(root=schema, text=text, words=frozenset(words(text))).make(schema, "$", 0)


def mood(text: str) -> float:
    """How glad a text sounds by a short list of English words, -1 to 1; 0 when nothing tells."""
    found = words(text)
    glad = sum(word in _GLAD for word in found)
    cross = sum(word in _CROSS for word in found)
    return round((glad - cross) / (glad + cross), 2) if glad + cross else 0.0


@dataclass(frozen=True)
class _Maker:
    root: Mapping[str, Any]
    text: str
    words: frozenset[str]

    def make(self, schema: Any, path: str, depth: int) -> Any:
        if schema is True or schema == {}:
            return self.text[:40]
        schema = self._resolve(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._choose(schema["enum"], path)
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self.make(self._alternative(schema[key], depth), path, depth + 1)
        kind = self._kind(schema, depth)
        if kind == "object":
            members = schema.get("properties") or {}
            names = members if depth < _DEEPEST else [name for name in members if name in schema.get("required", ())]
            return {name: self.make(members[name], f"{path}.{name}", depth + 1) for name in names}
        if kind == "array":
            return self._array(schema, path, depth)
        if kind in ("number", "integer"):
            return self._number(schema, path, whole=kind == "integer")
        if kind == "boolean":
            return self._hash(path) % 2 == 0
        return None if kind == "null" else self._string(schema, path)

    def _resolve(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Follow `$ref` (within the document) and merge `allOf`."""
        merged = dict(schema)
        while "$ref" in merged:
            target: Any = self.root
            for part in merged.pop("$ref").lstrip("#/").split("/"):
                if part:
                    target = target[part.replace("~1", "/").replace("~0", "~")]
            merged = {**target, **merged}
        for part in merged.pop("allOf", ()):
            resolved = self._resolve(part)
            resolved["properties"] = {**merged.get("properties", {}), **resolved.get("properties", {})}
            resolved["required"] = [*merged.get("required", ()), *resolved.get("required", ())]
            merged = {**merged, **resolved}
        return merged

    def _alternative(self, alternatives: list[Any], depth: int) -> Any:
        """The first alternative that isn't null; too deep, null first, so that a recursive schema comes to an end."""
        nulls = [option for option in alternatives if self._resolve(option).get("type") == "null"]
        others = [option for option in alternatives if option not in nulls]
        return (nulls + others)[0] if depth >= _DEEPEST else (others + nulls)[0]

    def _kind(self, schema: Mapping[str, Any], depth: int) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = "null" if "null" in kind and depth >= _DEEPEST else next((k for k in kind if k != "null"), "null")
        if kind is None:
            kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
        return str(kind)

    def _choose(self, options: list[Any], path: str) -> Any:
        """The option named in the text, else the one that fits its mood, else one by hash."""
        named = [option for option in options if isinstance(option, str) and set(words(option.replace("_", " "))) <= self.words]
        if len(named) == 1 and words(named[0]):
            return named[0]
        feeling = mood(self.text)
        telling = ("positive", "interested") if feeling > 0 else ("negative", "not_interested") if feeling < 0 else ("neutral",)
        fitting = [option for option in options if isinstance(option, str) and option.lower() in telling]
        return fitting[0] if fitting else options[self._hash(path) % len(options)]

    def _array(self, schema: Mapping[str, Any], path: str, depth: int) -> list[Any]:
        fewest = int(schema.get("minItems", 0))
        wanted = max(fewest, 1 if depth < _DEEPEST else 0)
        wanted = min(wanted, int(schema.get("maxItems", wanted)))
        items: list[Any] = []
        attempt = 0
        while len(items) < wanted and attempt < wanted + 50:
            item = self.make(schema.get("items", {}), f"{path}[{attempt}]", depth + 1)
            if not schema.get("uniqueItems") or item not in items:
                items.append(item)
            attempt += 1
        return items

    def _number(self, schema: Mapping[str, Any], path: str, *, whole: bool) -> int | float:
        low, high = _bounds(schema, whole=whole)
        if any(word in path.lower() for word in ("sentiment", "polarity", "valence")):
            share = (mood(self.text) + 1) / 2
        else:
            share = (self._hash(path) % 101) / 100
        value = low + share * (high - low)
        step = schema.get("multipleOf", 1 if whole else None)
        if step:
            count = math.floor(value / step)
            value = (count if count * step >= low else count + 1) * step
        return int(value) if whole else round(value, 6)

    def _string(self, schema: Mapping[str, Any], path: str) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        fewest, most = int(schema.get("minLength", 0)), schema.get("maxLength")
        text = " ".join(self.text.split())[:80] or path.rsplit(".", 1)[-1]
        text = text[: int(most)] if most is not None else text
        return text + "." * (fewest - len(text))

    def _hash(self, path: str) -> int:
        return int.from_bytes(hashlib.sha256(f"{path}\0{self.text}".encode()).digest()[:6])


def _bounds(schema: Mapping[str, Any], *, whole: bool) -> tuple[float, float]:
    """The closed range of a number's schema; an open end gets a margin, a missing one 0 to 100 (1 for fractions) beyond the other."""
    margin = 1.0 if whole else 1e-3
    span = 100.0 if whole else 1.0
    lows = [schema["minimum"]] if "minimum" in schema else []
    highs = [schema["maximum"]] if "maximum" in schema else []
    if "exclusiveMinimum" in schema:
        lows.append(schema["exclusiveMinimum"] + margin)
    if "exclusiveMaximum" in schema:
        highs.append(schema["exclusiveMaximum"] - margin)
    low = max(lows) if lows else (min(0.0, min(highs)) if highs else 0.0)
    high = min(highs) if highs else max(low, 0.0) + span
    return (math.ceil(low), math.floor(high)) if whole else (low, high)
