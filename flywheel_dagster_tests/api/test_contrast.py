"""The colours of the pages can be told apart, in the light and in the dark: AA of WCAG 2.2, 1.4.3 and 1.4.11."""

import re
from pathlib import Path

import pytest

from flywheel_dagster.api import pages

CSS = (Path(pages.__file__).parent / "static/flywheel.css").read_text(encoding="utf-8")
LIGHT, DARK, _ = [
    dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
]
TEXTS = [
    ("ink", "page"), ("ink", "card"), ("ink", "track"), ("quiet", "page"), ("quiet", "card"), ("accent", "page"), ("accent", "card"), ("on-accent", "accent"),
    ("second", "card"), ("third", "card"), ("wrong", "wrong-page"),
]  # fmt: skip
SHAPES = [
    ("accent", "young"),
    ("second", "young"),
    ("third", "young"),
    ("young-bar", "young"),
    ("young-bar", "card"),
    ("accent", "track"),
    ("quiet", "card"),
]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_and_shapes_stand_out(colours: dict[str, str]) -> None:
    weak = [
        (*pair, round(contrast(colours[pair[0]], colours[pair[1]]), 2))
        for pairs, least in ((TEXTS, 4.5), (SHAPES, 3.0))
        for pair in pairs
        if contrast(colours[pair[0]], colours[pair[1]]) < least
    ]
    assert weak == []
