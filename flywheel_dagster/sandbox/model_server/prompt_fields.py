"""Reading the facts out of a prompt (name, company, ...) and carrying an old answer over to new facts. Text in, text out."""

import contextlib
import difflib
import json
import re

_LINE = re.compile(r"^\s*(?:[-*+]\s*)?\**([A-Za-z][\w /-]{0,40}?)\**\s*[:=]\**\s*(\S.{0,160}?)\s*$")
_PROSE = re.compile(
    r"\bto ([A-Z][\w'-]+(?: [A-Z][\w'-]+)?)(?:, ([^,.;()\n]{2,60}?))? (?:at|of|from) ([A-Z][\w&'-]*(?:\.\w+)*(?: [A-Z][\w&'-]*)*)"
)
_PIECE = re.compile(r"\w+(?:['-]\w+)*|[^\w\s]")
_LONGEST_DIFF = 600

_KEYS = {
    "name": ("first name", "name", "contact name", "contact", "lead name", "lead", "recipient", "prospect"),
    "company": ("company", "company name", "account", "organisation", "organization", "business"),
    "role": ("title", "job title", "role", "position"),
    "industry": ("industry", "sector", "vertical"),
    "product": ("product", "offer", "our product", "service"),
    "sender": ("sender", "from", "sender name", "signature", "rep"),
}


def read_fields(prompt: str) -> dict[str, str]:
    """The `key: value` lines and JSON members of a prompt, with lower-case keys, and what a sentence says of name, role, company."""
    fields: dict[str, str] = {}
    prose = _PROSE.search(prompt)
    if prose:
        for key, value in zip(("name", "role", "company"), prose.groups(), strict=True):
            if value:
                fields[key] = value.strip()
    for line in prompt.splitlines():
        matched = _LINE.match(line)
        if matched:
            fields[_key(matched[1])] = matched[2].strip(" *\"',")
    start, end = prompt.find("{"), prompt.rfind("}")
    if 0 <= start < end:
        with contextlib.suppress(ValueError):  # braces in prose aren't JSON; the other readings stand
            _flatten(json.loads(prompt[start : end + 1]), fields)
    return {key: value for key, value in fields.items() if value}


def pick_field(fields: dict[str, str], wanted: str, *, otherwise: str) -> str:
    """The first of a wanted fact's usual keys that the prompt has, else `otherwise`."""
    return next((fields[key] for key in _KEYS[wanted] if key in fields), otherwise)


def carry_over(answer: str, *, old_prompt: str, new_prompt: str) -> str:
    """The answer with the old prompt's own words (names, companies, figures) replaced by what stands there in the new prompt."""
    swaps = {**_swaps_by_difference(old_prompt, new_prompt), **_swaps_by_field(read_fields(old_prompt), read_fields(new_prompt))}
    swaps = {old: new for old, new in swaps.items() if _is_particular(old) and old != new}
    if not swaps:
        return answer
    longest_first = sorted(swaps, key=len, reverse=True)
    pattern = re.compile(r"(?<!\w)(?:" + "|".join(re.escape(old) for old in longest_first) + r")(?!\w)")
    return pattern.sub(lambda found: swaps[found[0]], answer)


def _key(text: str) -> str:
    return re.sub(r"[\s_-]+", " ", text).strip().lower()


def _flatten(value: object, fields: dict[str, str]) -> None:
    if isinstance(value, dict):
        for key, member in value.items():
            if isinstance(member, str | int | float) and not isinstance(member, bool):
                fields[_key(str(key))] = str(member)
            else:
                _flatten(member, fields)


def _swaps_by_field(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    swaps = {value: new[key] for key, value in old.items() if key in new}
    old_name, new_name = (pick_field(fields, "name", otherwise="") for fields in (old, new))
    if old_name and new_name:
        swaps[old_name.split()[0]] = new_name.split()[0]  # letters greet by first name, even where the prompt has no other
    return swaps


def _swaps_by_difference(old_prompt: str, new_prompt: str) -> dict[str, str]:
    old, new = _PIECE.findall(old_prompt), _PIECE.findall(new_prompt)
    if max(len(old), len(new)) > _LONGEST_DIFF:
        return {}
    swaps: dict[str, str] = {}
    for kind, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "replace" and j - i <= 4 and m - k <= 4:
            swaps.setdefault(" ".join(old[i:j]), " ".join(new[k:m]))
    return swaps


def _is_particular(text: str) -> bool:
    """A name or a figure, not a common word: only those may be swapped inside an answer."""
    return len(text) > 1 and len(text.split()) <= 6 and bool(re.search(r"[A-Z0-9]", text))
