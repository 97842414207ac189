"""The leads of a simulated history: invented people at invented companies, each the same in every message to them."""

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from flywheel_dagster.sandbox.simulator.draws import Choice, pick, stream
from flywheel_dagster.sandbox.simulator.world import Arm, World


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `leads`, and the arm of the experiment that the lead is in."""

    organization_id: str
    lead_id: str
    email: str
    first_name: str
    last_name: str
    company: str
    industry: str
    role: str
    company_size: str
    icp_score: float
    arm: Arm | None


class People:
    """The leads of a world, by the position of their organisation and their own number."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._draw = stream(world.seed, b"lead")
        self._industry = Choice(world.industries)
        self._role = Choice(world.roles)
        self._company_size = Choice(world.company_sizes)
        self._icp_score = Choice({str(score): weight for score, weight in world.icp_scores})
        self._arms = {each.name: each for each in world.arms}
        self._arm = Choice({each.name: each.share for each in world.arms}) if world.arms else None
        self.lead = lru_cache(maxsize=4096)(self._lead)

    def all(self) -> Iterator[Lead]:
        """Every lead, one organisation after the other."""
        for position in range(len(self._world.organizations)):
            for number in range(self._world.leads):
                yield self._lead(position, number)

    def _lead(self, position: int, number: int) -> Lead:
        world = self._world
        organization = world.organizations[position].id
        u = self._draw(f"{organization}:{number}".encode())
        first, last = pick(FIRST_NAMES, u[0]), pick(LAST_NAMES, u[1])
        industry = self._industry(u[2])
        return Lead(
            organization_id=organization,
            lead_id=f"{organization}-{world.seed}-{number:05d}",
            email=f"{first}.{last}.{world.seed}-{position}-{number}@example.com".lower(),
            first_name=first,
            last_name=last,
            company=f"Example {pick(COMPANY_WORDS, u[3])} {pick(COMPANY_KINDS, u[4])} {number}",
            industry=industry,
            role=self._role(u[5]),
            company_size=self._company_size(u[6]),
            icp_score=float(self._icp_score(u[7])),
            arm=self._arms[self._arm(u[8])] if self._arm else None,
        )


FIRST_NAMES = (
    "Ada", "Amir", "Ana", "Bela", "Chidi", "Dana", "Elif", "Emil", "Farah", "Gita", "Hugo", "Ines", "Ivo", "Jana", "Kofi", "Lena",
    "Lior", "Mara", "Mei", "Milo", "Nadia", "Noor", "Olga", "Omar", "Pia", "Rafa", "Ravi", "Sana", "Sven", "Tariq", "Uma", "Yuki",
)  # fmt: skip
LAST_NAMES = (
    "Abara", "Bergen", "Castell", "Dunmore", "Ekwall", "Farrow", "Grantham", "Hollis", "Ilves", "Jorvik", "Kestrel", "Lindqvist",
    "Marlowe", "Norrell", "Okafor", "Penrose", "Quill", "Rosewood", "Santoro", "Tamm", "Underhill", "Varga", "Winslow", "Yarrow",
)  # fmt: skip
COMPANY_WORDS = ("Alder", "Basalt", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Indigo", "Juniper", "Larch", "Meadow")
COMPANY_KINDS = ("Group", "Works", "Partners", "Systems", "Services", "Supply", "Labs", "House")
