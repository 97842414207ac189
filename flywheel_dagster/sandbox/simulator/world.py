"""The parameters of a simulated history: how much, of whom, over how long, how messy, and the truth behind it."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.messages import ARMS, CHANNELS
from flywheel_dagster.sandbox.simulator.truth import Baseline, Delay, Delays, Truth, default_truth


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """A sender. `weight` is its number of messages in each round of all organisations; `offer` is what it sells."""

    id: str
    name: str
    allows_global_training: bool = False
    weight: int = 1
    offer: str = "a planning assistant"


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """An arm of an experiment, with its share of the leads and the registered model (must exist) that writes for it."""

    name: str
    share: float = 1.0
    model_registry_id: UUID | None = None


ORGANIZATIONS = (
    Organization(
        id="demo-north",
        name="Demo North",
        allows_global_training=True,
        weight=4,
        offer="a forecasting assistant that reads the CRM",
    ),
    Organization(
        id="demo-south", name="Demo South", allows_global_training=True, weight=3, offer="an onboarding desk that runs itself"
    ),
    Organization(id="demo-harbour", name="Demo Harbour", weight=2, offer="a supplier portal without the spreadsheets"),
)

# Shares by name, so that 2.0 is twice as common as 1.0.
CHANNEL_MIX = {"email": 0.85, "linkedin": 0.10, "sms": 0.05}
FRAMEWORK_MIX = {"PAS": 1.0, "AIDA": 1.0, "BAB": 1.0, "FAB": 1.0}
TONE_MIX = {"professional": 1.0, "casual": 1.0, "consultative": 1.0, "direct": 1.0}
INDUSTRY_MIX = {"SaaS": 3.0, "Manufacturing": 2.0, "Healthcare": 1.0, "Logistics": 2.0, "Finance": 1.0, "Retail": 1.0}
ROLE_MIX = {"VP Sales": 3.0, "Head of Marketing": 2.0, "CTO": 1.5, "Operations Director": 2.0, "CEO": 1.5}
SIZE_MIX = {"1-10": 1.0, "11-50": 2.0, "51-200": 3.0, "201-1000": 2.0, "1001-5000": 1.0}

# Fit of a lead: most are middling, few are perfect or hopeless.
ICP_SCORES = tuple((step / 20, float(min(step, 20 - step))) for step in range(1, 20))


class World(msgspec.Struct, frozen=True, kw_only=True):
    """One simulated history. Everything follows from these values and the anchor; change one by `msgspec.structs.replace`.

    `messages` are sent evenly over the `weeks` before the anchor, in working hours (Monday to Friday, 8 to 18 UTC). Leads are
    `leads` in each organisation, each in one of `campaigns` campaigns, and get `touches` messages, about a week apart where
    there are leads enough. Mixes are shares by name. Empty `arms` mean no experiment; a lead keeps its arm. `tracked_channels`
    report opens and clicks. `duplicates`, `lost_deliveries` and `early_events` are shares that `messy` and `simulate` spoil;
    `machine_opens` and `auto_replies` are shares of delivered messages, `classified` of replies.
    Raises InputError for values that make no history.
    """

    seed: int = 7
    messages: int = 1_200
    weeks: int = 12
    organizations: tuple[Organization, ...] = ORGANIZATIONS
    leads: int = 200
    campaigns: int = 2
    touches: int = 3
    channels: dict[str, float] = msgspec.field(default_factory=CHANNEL_MIX.copy)
    tracked_channels: tuple[str, ...] = ("email",)
    frameworks: dict[str, float] = msgspec.field(default_factory=FRAMEWORK_MIX.copy)
    tones: dict[str, float] = msgspec.field(default_factory=TONE_MIX.copy)
    industries: dict[str, float] = msgspec.field(default_factory=INDUSTRY_MIX.copy)
    roles: dict[str, float] = msgspec.field(default_factory=ROLE_MIX.copy)
    company_sizes: dict[str, float] = msgspec.field(default_factory=SIZE_MIX.copy)
    icp_scores: tuple[tuple[float, float], ...] = ICP_SCORES
    arms: tuple[Arm, ...] = ()
    duplicates: float = 0.05
    lost_deliveries: float = 0.01
    early_events: float = 0.05
    machine_opens: float = 0.25
    auto_replies: float = 0.02
    classified: float = 1.0
    truth: Truth = msgspec.field(default_factory=default_truth)

    def __post_init__(self) -> None:
        _check(-(2**63) <= self.seed < 2**63, f"seed is {self.seed}; use a 64-bit integer")
        _check(self.messages >= 0, f"messages is {self.messages}; use 0 or more")
        _check(1 <= self.weeks <= 1_000, f"weeks is {self.weeks}; use 1 to 1000")
        for name in ("leads", "campaigns", "touches"):
            _check(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}; use 1 or more")
        ids = [each.id for each in self.organizations]
        _check(len(set(ids)) == len(ids) > 0, "organizations need distinct ids, and there must be one")
        for each in self.organizations:
            _check(
                1 <= len(each.id) <= 100 and each.id != "global",
                f"organization id {each.id!r}: use 1 to 100 characters, not 'global'",
            )
            _check(1 <= each.weight <= 1_000, f"weight of {each.id} is {each.weight}; use 1 to 1000")
        for name in ("channels", "frameworks", "tones", "industries", "roles", "company_sizes"):
            _check_shares(name, getattr(self, name))
        _check(set(self.channels) <= set(CHANNELS), f"channels are {', '.join(self.channels)}; use some of {', '.join(CHANNELS)}")
        _check_shares("icp_scores", {str(score): weight for score, weight in self.icp_scores})
        _check(all(0 <= score <= 1 for score, _ in self.icp_scores), "an ICP score lies between 0 and 1")
        if self.arms:
            _check_shares("arms", {each.name: each.share for each in self.arms})
            _check({each.name for each in self.arms} <= set(ARMS), f"arms are named {', '.join(ARMS)}")
            _check(len({each.name for each in self.arms}) == len(self.arms), "each arm is listed once")
        for name in ("duplicates", "lost_deliveries", "early_events", "machine_opens", "auto_replies", "classified"):
            _check(0 <= getattr(self, name) <= 1, f"{name} is {getattr(self, name)}; use a share between 0 and 1")


def _check(holds: bool, remedy: str) -> None:
    if not holds:
        raise InputError(remedy)


def _check_shares(name: str, shares: Mapping[str, float]) -> None:
    _check(
        all(share >= 0 for share in shares.values()) and sum(shares.values()) > 0, f"{name}: give shares of 0 or more, one above 0"
    )


def demo_world() -> World:
    """The history that the demo shows: 1,200 messages in 12 weeks to a small, warm list.

    These are people who have asked for news, so rates are several times those of the default truth, which is a cold market, and
    deals close in weeks instead of months. Nobody has judged their replies. About 230 messages of the two consenting organisations reach quality 0.6.
    """
    truth = msgspec.structs.replace(
        default_truth(),
        base=Baseline(open=0.68, click=0.25, reply=0.50, positive=0.62, meeting=0.62, deal=0.50),
        delays=Delays(deal_closed=Delay(15 * 86_400.0, 0.6)),
    )
    return World(truth=truth, classified=0)
