"""What is true of a simulated market, as data: how likely each step is, and what moves it. Exact rates follow in `rates.py`."""

import msgspec

from flywheel_dagster.errors import InputError


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """What one property of a message or lead adds: to the log-odds of each step, and to the logarithm of a deal's value.

    Each step is conditional on the one that leads to it: open on delivery, click and reply on opening, positive on a reply,
    meeting on a reply (or a click), deal on an opened opportunity.
    """

    delivery: float = 0.0
    open: float = 0.0
    click: float = 0.0
    reply: float = 0.0
    positive: float = 0.0
    meeting: float = 0.0
    deal: float = 0.0
    value: float = 0.0


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of a message whose effects are all zero, to a lead with an ICP score of 0.5.

    Probabilities lie strictly between 0 and 1 where effects move them; `reply_unopened`, `meeting_after_neutral` and
    `meeting_after_click` are added to the log-odds; `deal_value` is a median in USD.
    """

    delivery: float = 0.97
    open: float = 0.42
    click: float = 0.17
    reply: float = 0.22
    positive: float = 0.42
    meeting: float = 0.62
    deal: float = 0.48
    deal_value: float = 15_000.0

    reply_unopened: float = -2.2  # who reads with images blocked leaves no open
    neutral: float = 0.55  # share of neutral among replies that are not positive
    meeting_after_neutral: float = -1.8
    meeting_after_click: float = -3.0  # booked by the link, without a reply
    held: float = 0.80  # of booked meetings; the rest is missed or cancelled
    no_show: float = 0.12
    pipeline: float = 0.75  # a held meeting opens a deal
    direct: float = 0.10  # so does a positive reply without a meeting
    value_sigma: float = 0.6  # spread of the logarithm of a deal's value
    unsubscribe: float = 0.006  # of those who opened
    spam: float = 0.001


class Delay(msgspec.Struct, frozen=True):
    """A lognormal delay: median in seconds, sigma of its logarithm."""

    median: float
    sigma: float


_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0


class Delays(msgspec.Struct, frozen=True, kw_only=True):
    """How long each step takes after the one that leads to it."""

    delivery: Delay = Delay(_MINUTE, 0.9)
    open: Delay = Delay(5 * _HOUR, 1.4)
    click: Delay = Delay(2 * _MINUTE, 0.8)
    reply: Delay = Delay(14 * _HOUR, 1.2)
    classification: Delay = Delay(_MINUTE, 0.5)
    booking: Delay = Delay(1.2 * _DAY, 0.8)
    meeting: Delay = Delay(5 * _DAY, 0.5)
    deal_opened: Delay = Delay(2 * _DAY, 0.7)
    deal_closed: Delay = Delay(40 * _DAY, 0.6)


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """The effects of every property by name. A name that isn't listed has no effect.

    `strategies` holds what a pair such as `PAS_casual` adds beyond its framework and tone. `models` goes by experiment arm.
    `icp` is multiplied by the ICP score less 0.5.
    """

    base: Baseline = Baseline()
    frameworks: dict[str, Effects] = {}
    tones: dict[str, Effects] = {}
    strategies: dict[str, Effects] = {}
    industries: dict[str, Effects] = {}
    roles: dict[str, Effects] = {}
    company_sizes: dict[str, Effects] = {}
    channels: dict[str, Effects] = {}
    models: dict[str, Effects] = {}
    icp: Effects = Effects()
    delays: Delays = Delays()

    def __post_init__(self) -> None:
        base = self.base
        for name in (*MOVED, "neutral", "held", "no_show", "pipeline", "direct", "unsubscribe", "spam"):
            value = getattr(base, name)
            if not 0 <= value <= 1 or (name in MOVED and value in (0, 1)):
                raise InputError(f"{name} is {value}; a probability lies between 0 and 1, and effects can't move 0 or 1 themselves")
        if base.held + base.no_show > 1:
            raise InputError(
                f"held and no_show add up to {base.held + base.no_show}; they are shares of booked meetings, at most 1"
            )
        if base.deal_value <= 0:
            raise InputError(f"deal_value is {base.deal_value}; give a median above 0, in USD")
        for name in Delays.__struct_fields__:
            delay: Delay = getattr(self.delays, name)
            if delay.median < 0 or delay.sigma < 0:
                raise InputError(f"the delay of {name} is {delay.median} s with sigma {delay.sigma}; neither can be negative")


MOVED = ("delivery", "open", "click", "reply", "positive", "meeting", "deal")


def default_truth() -> Truth:
    """A believable cold market: problem-led, consultative messages do best, and fit matters more than either."""
    return Truth(
        frameworks={
            "PAS": Effects(reply=0.30, positive=0.20, meeting=0.15),
            "AIDA": Effects(open=0.10, click=0.35, reply=-0.05),
            "BAB": Effects(reply=0.10, meeting=0.10, deal=0.15),
            "FAB": Effects(click=0.10, reply=-0.35, positive=-0.20),
        },
        tones={
            "professional": Effects(),
            "casual": Effects(open=0.10, reply=0.05, positive=-0.10, meeting=-0.10),
            "consultative": Effects(reply=0.25, positive=0.30, meeting=0.20, deal=0.20),
            "direct": Effects(click=0.15, reply=-0.15, meeting=0.10),
        },
        industries={
            "SaaS": Effects(open=0.10, reply=0.15),
            "Manufacturing": Effects(open=-0.10, reply=-0.10, value=0.15),
            "Healthcare": Effects(delivery=-0.20, reply=-0.25, deal=0.10),
            "Logistics": Effects(reply=0.05),
            "Finance": Effects(open=-0.10, reply=-0.20, value=0.30),
            "Retail": Effects(click=0.10, value=-0.20),
        },
        roles={
            "VP Sales": Effects(reply=0.20, meeting=0.10),
            "Head of Marketing": Effects(open=0.10, reply=0.10),
            "CTO": Effects(reply=-0.20, deal=0.10),
            "Operations Director": Effects(),
            "CEO": Effects(open=-0.15, reply=-0.25, deal=0.30, value=0.20),
        },
        company_sizes={
            "1-10": Effects(delivery=-0.20, reply=0.10, value=-1.30),
            "11-50": Effects(reply=0.10, value=-0.60),
            "51-200": Effects(),
            "201-1000": Effects(reply=-0.10, value=0.60),
            "1001-5000": Effects(reply=-0.20, deal=-0.10, value=1.20),
        },
        channels={"linkedin": Effects(delivery=1.0, reply=0.10), "sms": Effects(open=0.60, reply=-0.30, positive=-0.20)},
        icp=Effects(open=0.30, click=0.30, reply=0.80, positive=0.80, meeting=0.80, deal=0.80, value=0.20),
    )
