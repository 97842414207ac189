"""What hurts in an industry, and what its people count. Data only."""

import msgspec


class Industry(msgspec.Struct, frozen=True, kw_only=True):
    """`pains` begin a sentence when capitalised; `metrics` can be cut; `peers` are who did it already."""

    pains: tuple[str, ...]
    metrics: tuple[str, ...]
    peers: tuple[str, ...]


INDUSTRIES = {
    "SaaS": Industry(
        pains=("trials that never reach a second login", "churn that shows up a month too late", "a pipeline full of deals nobody believes in",
               "renewals that depend on one spreadsheet", "product signals that sales never sees"),
        metrics=("early churn", "time to first value", "forecast error", "the length of a trial"),
        peers=("a subscription business of your size", "a team with the same self-serve motion", "a developer tools company"),
    ),
    "Manufacturing": Industry(
        pains=("changeovers that eat half a shift", "orders that wait for one missing part", "quotes that take nine days",
               "maintenance that happens after the breakdown", "planning that lives in three systems"),
        metrics=("unplanned downtime", "quote turnaround", "scrap", "late orders"),
        peers=("a machine builder with two plants", "a supplier of moulded parts", "a family-owned metal shop"),
    ),
    "Healthcare": Industry(
        pains=("referrals that get lost between clinics", "intake forms typed in twice", "appointments nobody turns up to",
               "claims that come back for one missing code", "rosters that change after they are printed"),
        metrics=("missed appointments", "intake time", "rejected claims", "overtime"),
        peers=("a group of outpatient clinics", "a regional diagnostics network", "a home care provider"),
    ),
    "Logistics": Industry(
        pains=("trucks that leave half empty", "status calls that keep dispatch busy until noon", "detention fees nobody contests",
               "tenders answered from memory", "routes planned the night before and wrong by seven"),
        metrics=("empty miles", "calls per shipment", "detention cost", "late deliveries"),
        peers=("a regional carrier with ninety trucks", "a freight forwarder", "a cold-chain operator"),
    ),
    "Finance": Industry(
        pains=("reconciliations that close on the ninth working day", "approvals that travel by e-mail", "audits that begin with a search for files",
               "onboarding checks that customers abandon", "reports rebuilt by hand every month"),
        metrics=("days to close", "abandoned applications", "audit preparation", "manual corrections"),
        peers=("a leasing company", "a mid-sized lender", "an insurance broker"),
    ),
    "Retail": Industry(
        pains=("bestsellers out of stock by Friday", "returns that sit for two weeks", "campaigns that sell what is not there",
               "store staff answering the same question all day", "prices that differ between shop and site"),
        metrics=("stock-outs", "return handling time", "markdowns", "abandoned baskets"),
        peers=("a chain of thirty shops", "an outdoor brand", "a furniture retailer"),
    ),
}  # fmt: skip

ANYWHERE = Industry(
    pains=("work that waits for one person", "numbers that arrive too late to act on", "hand-overs that lose the thread"),
    metrics=("lead time", "rework", "manual effort"),
    peers=("a company much like yours", "a team of your size"),
)
