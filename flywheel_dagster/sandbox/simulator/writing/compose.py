"""Makes one message from the templates: parts chosen by draws, names of the industry and role put in, placeholders left for sending."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from flywheel_dagster.sandbox.simulator.draws import pick
from flywheel_dagster.sandbox.simulator.writing.frameworks import FRAMEWORKS
from flywheel_dagster.sandbox.simulator.writing.industries import ANYWHERE, INDUSTRIES
from flywheel_dagster.sandbox.simulator.writing.roles import ANYONE, ROLES
from flywheel_dagster.sandbox.simulator.writing.tones import TONES


class Written(NamedTuple):
    """A message: `subject` only for e-mail; `hooks` and `cta` name what the copywriter used."""

    subject: str | None
    body: str
    hooks: tuple[str, ...]
    cta: str


def compose(
    *, framework: str, tone: str, channel: str, industry: str, role: str, offer: str, touch: int, draws: Sequence[float]
) -> Written:
    """The words for one reader. `draws` are 12 numbers in (0, 1); `{{first_name}}` and `{{company}}` stay as placeholders.

    A framework or tone without templates borrows those of PAS and professional; an unknown industry or role speaks in general.
    """
    parts = FRAMEWORKS.get(framework, FRAMEWORKS["PAS"])
    voice = TONES.get(tone, TONES["professional"])
    field = INDUSTRIES.get(industry, ANYWHERE)
    reader = ROLES.get(role, ANYONE)

    hook, opener = pick(voice.openers, draws[0])
    if touch:
        hook, opener = "follow_up", pick(voice.follow_ups, draws[0])
    cta = pick(_ASKS, draws[1])
    # One draw chooses twice: its leading digits the one thing, the digits after them the other.
    ask = pick(voice.asks[cta], draws[1] * len(_ASKS) % 1)
    paragraphs = [pick(part, draw) for part, draw in zip(parts, draws[2:5], strict=True)]
    greeting, farewell = pick(voice.greetings, draws[5]), pick(voice.farewells, draws[5] * 7 % 1)
    subject = pick(voice.subjects, draws[6])
    if channel == "email":
        text = f"{subject}\n{greeting}\n\n{opener}\n\n{paragraphs[0]} {paragraphs[1]}\n\n{paragraphs[2]}\n\n{ask}\n\n{farewell}"
    elif channel == "sms":
        text = f"\n{greeting} {paragraphs[0]} {ask}"
    else:
        text = f"\n{greeting} {opener} {paragraphs[0]} {paragraphs[2]} {ask}"

    words = {
        "pain": pick(field.pains, draws[7]),
        "metric": pick(field.metrics, draws[8]),
        "peer": pick(field.peers, draws[8] * 5 % 1),
        "goal": pick(reader.goals, draws[9]),
        "worry": pick(reader.worries, draws[10]),
        "offer": offer,
        "industry": industry.lower() if industry[1:].islower() else industry,
        "n": str(6 + int(draws[11] * 37)),
    }

    def word(found: re.Match[str]) -> str:
        name = found[1]
        value = words.get(name)
        if value is None:  # <Pain> begins a sentence
            value = words[name.lower()]
            value = value[:1].upper() + value[1:]
        return value

    first, _, body = _BLANK.sub(word, text).partition("\n")
    hooks = (hook, _HOOKS.get(framework, "pain_point"))
    return Written(first if channel == "email" else None, body, hooks, cta)


_BLANK = re.compile(r"<(\w+)>")
_ASKS = ("book_meeting", "reply_yes", "see_example")
_HOOKS = {"PAS": "pain_point", "AIDA": "statistic", "BAB": "before_after", "FAB": "feature"}
