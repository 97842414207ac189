"""Makes a file of past outcomes from a seed: e-mails of 300 to 900 characters, half of them from templates, with what became of them as often as in
real life."""

import csv
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

# Each column with its type in PostgreSQL: the floor loads the very same file into a table of these.
COLUMNS = {
    "organization_id": "text",
    "campaign_id": "text",
    "lead_id": "text",
    "channel": "text",
    "subject_line": "text",
    "message_body": "text",
    "framework": "text",
    "tone": "text",
    "sent_at": "timestamptz",
    "lead_industry": "text",
    "lead_role": "text",
    "company_size": "text",
    "icp_score": "double precision",
    "delivered": "boolean",
    "delivered_at": "timestamptz",
    "bounced": "boolean",
    "opened": "boolean",
    "opened_at": "timestamptz",
    "open_count": "int",
    "clicked": "boolean",
    "replied": "boolean",
    "replied_at": "timestamptz",
    "reply_text": "text",
    "reply_sentiment_score": "double precision",
    "interest_signal": "boolean",
    "meeting_booked": "boolean",
    "meeting_booked_at": "timestamptz",
    "deal_closed": "boolean",
    "deal_closed_at": "timestamptz",
    "deal_value": "numeric(14, 2)",
    "deal_currency": "text",
}
FIRST = datetime(2025, 1, 6, 7, tzinfo=UTC)  # a Monday
WEEKS = 52

_OPENINGS = (
    "I saw that {company} opened a second plant last month, congratulations.",
    "Either way, I enjoyed your talk about {topic}; the part on handovers stayed with me.",
    "Your post about {topic} was passed around our office twice.",
    "Someone at {company} asked us about {topic} in spring, so I thought I'd write to you myself.",
)
_ASKS = (
    "Would you be open to a short call next week, say Tuesday or Thursday morning?",
    "No slides, no pitch: fifteen minutes, three questions, and an honest answer on whether we fit.",
    "If timing is the issue, I am happy to send a two-minute video instead.",
    "One caveat, so that you hear it from me first: it does not replace your ERP.",
)
_WHO = (
    "Planners",
    "Buyers",
    "Your drivers",
    "Plant managers",
    "Most teams",
    "Night shifts",
    "Two customers",
    "Our analysts",
    "Field engineers",
    "Shop owners",
    "Controllers",
    "New hires",
    "Head offices",
    "Dispatchers",
    "Recruiters",
    "Auditors",
    "Store clerks",
    "Service desks",
)
_DOES = (
    "lost",
    "saved",
    "moved",
    "compared",
    "checked",
    "planned",
    "halved",
    "shared",
    "forgot",
    "rebuilt",
    "measured",
    "ordered",
    "shipped",
    "priced",
    "counted",
    "delayed",
    "sorted",
    "traced",
)
_KIND = (
    "weekly",
    "late",
    "small",
    "shared",
    "manual",
    "spare",
    "seasonal",
    "missing",
    "unpaid",
    "local",
    "older",
    "broken",
    "urgent",
    "regional",
    "printed",
    "frozen",
    "double",
    "daily",
)
_THING = (
    "reports",
    "forecasts",
    "orders",
    "routes",
    "invoices",
    "parts",
    "shifts",
    "audits",
    "contracts",
    "pallets",
    "returns",
    "samples",
    "budgets",
    "tickets",
    "machines",
    "schedules",
    "claims",
    "leads",
)
_HOW = (
    "without a migration",
    "in an afternoon",
    "for the third time",
    "since the summer",
    "with one spreadsheet",
    "before the rush",
    "across four sites",
    "by phone",
    "in two clicks",
    "on their own",
    "over the weekend",
    "against the plan",
    "at half the cost",
)
_REPLIES = (
    "Thanks for reaching out. This looks interesting, can you send more details on pricing?",
    "Not interested, please take me off your list.",
    "We have a contract until summer; write to me again in June.",
    "Sounds good. Tuesday at ten works for me, could you send an invitation?",
    "I'm not the right person for this, try our head of operations.",
)


def write_past_outcomes(path: Path, rows: int, seed: int = 1, *, first: datetime = FIRST, weeks: int = WEEKS) -> None:
    """A CSV file of so many rows in the order of sending; the same seed gives the same bytes."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_rows(rows, random.Random(seed), first, weeks))


def _rows(count: int, draw: random.Random, first: datetime, weeks: int) -> Iterator[tuple[object, ...]]:
    chance, pick, between = draw.random, draw.choice, draw.randrange
    leads = max(10, count // 4)
    for number in range(count):
        sent = first + timedelta(weeks=weeks) * (number / count)
        lead = between(leads)
        company, topic = f"Nordwind {lead % 977}", pick(("supply chains", "hiring", "café loyalty", "night shifts"))
        # Half of the messages are copies of their campaign's template behind an opening of their own, the others are written one by one.
        script = random.Random(number * 40 // count * 7 + lead % 7) if chance() < 0.5 else draw
        words = " ".join((pick(_OPENINGS).format(company=company, topic=topic), *_sentences(script), script.choice(_ASKS)))
        body = f"Hi Robin,\n\n{words}\n\nBest,\nSam"
        bounced = chance() < 0.03
        opened = not bounced and chance() < 0.4
        replied = opened and chance() < 0.2
        liked = replied and chance() < 0.4
        booked = liked and chance() < 0.5
        won = booked and chance() < 0.25
        yield (
            f"org-{lead % 7}",
            f"campaign-{lead % 7}-{number * 40 // count}",
            f"lead-{lead}",
            "email" if chance() < 0.9 else "linkedin",
            f"A question about {topic} at {company}",
            body,
            pick(("AIDA", "PAS", "BAB", "FAB", "4Ps")),
            pick(("casual", "formal", "friendly", "direct")),
            sent.isoformat(),
            pick(("Manufacturing", "Retail", "Software", "Health care", "Logistics")),
            pick(("VP Sales", "Head of Operations", "CFO", "Founder")),
            pick(("1-10", "11-50", "51-200", "201-1000", "1000+")),
            round(chance(), 3),
            _word(not bounced),
            "" if bounced else _after(sent, minutes=1),
            _word(bounced),
            _word(opened),
            _after(sent, hours=5) if opened else "",
            between(1, 6) if opened else 0,
            _word(opened and chance() < 0.2),
            _word(replied),
            _after(sent, hours=30) if replied else "",
            pick(_REPLIES) if replied else "",
            round(chance() if liked else -chance(), 2) if replied else "",
            _word(liked) if replied else "",
            _word(booked),
            _after(sent, days=3) if booked else "",
            _word(won),
            _after(sent, days=40) if won else "",
            between(5_000, 90_000) if won else "",
            "USD" if won else "",
        )


def _sentences(draw: random.Random) -> Iterator[str]:
    pick = draw.choice
    for _ in range(draw.randrange(3, 10)):
        yield f"{pick(_WHO)} {pick(_DOES)} {pick(_KIND)} {pick(_THING)} and {pick(_DOES)} {pick(_KIND)} {pick(_THING)} {pick(_HOW)}."


def _after(sent: datetime, **later: int) -> str:
    return (sent + timedelta(**later)).isoformat()


def _word(holds: bool) -> str:
    return "true" if holds else "false"
