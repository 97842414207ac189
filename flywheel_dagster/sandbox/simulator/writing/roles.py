"""What a role wants and what keeps it awake. Data only."""

import msgspec


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """`goals` follow "to" or "you could"; `worries` are clauses of their own."""

    goals: tuple[str, ...]
    worries: tuple[str, ...]


ROLES = {
    "VP Sales": Role(
        goals=("commit to a number and keep it", "give every rep one clear next step", "see risk in a deal before the last week", "ramp new reps in weeks"),
        worries=("the forecast slips and nobody can say why", "good reps spend their mornings on data entry",
                 "the quarter is decided in its final ten days", "two deals in five die without a reason on record"),
    ),
    "Head of Marketing": Role(
        goals=("show which campaign paid", "hand over leads that sales will call", "stop guessing at the next headline", "speak to each segment in its own words"),
        worries=("budget goes to whatever was loudest last quarter", "sales ignores half of the leads",
                 "nobody can tell interest from curiosity", "the same message goes to everyone"),
    ),
    "CTO": Role(
        goals=("retire two systems without a migration year", "give the team its evenings back", "keep data in one place with one owner", "say yes to the business more often"),
        worries=("every shortcut becomes an integration to maintain", "the backlog grows faster than the team",
                 "the person who knows the script is on holiday", "security reviews come after the purchase"),
    ),
    "Operations Director": Role(
        goals=("see tomorrow's bottleneck today", "run a shift without a single phone chain", "plan once and change it safely", "free a day a week for improvement"),
        worries=("small delays add up before anyone sees them", "the best people firefight",
                 "each site has its own truth", "the plan is out of date by nine"),
    ),
    "CEO": Role(
        goals=("grow without another layer of management", "know by Tuesday how the month will end", "put the best people on the new market", "make decisions from one page"),
        worries=("growth costs more every year", "the important number comes last",
                 "the board asks a question that takes a week to answer", "the team is busy and the plan stands still"),
    ),
}  # fmt: skip

ANYONE = Role(
    goals=("spend the day on what matters", "see problems while they are small"),
    worries=("small delays add up before anyone sees them", "the best people firefight"),
)
