"""Numbers and times as people read them; what isn't known is a dash."""

from datetime import date, datetime
from decimal import Decimal

_UNKNOWN = "–"


def count(number: float | Decimal | None) -> str:
    """1,234."""
    return _UNKNOWN if number is None else f"{number:,.0f}"


def per_cent(share: float | None) -> str:
    """A share of 0..1 as 12.3 %."""
    return _UNKNOWN if share is None else f"{100 * share:.1f}\u202f%"


def whole_per_cent(share: float | None) -> str:
    """A share of 0..1 as 12 %; with a decimal where it isn't whole."""
    return per_cent(share).replace(".0\u202f", "\u202f")


def usd(amount: float | Decimal | None) -> str:
    """$1,234, and with cents below a hundred dollars."""
    return _UNKNOWN if amount is None else f"${amount:,.0f}" if amount >= 100 or amount == 0 else f"${amount:,.2f}"


def signed(number: float | None) -> str:
    """+0.12, with a true minus sign."""
    if number is None:
        return _UNKNOWN
    return f"{number:+.2f}".replace("-", "\u2212") if round(number, 2) else "0.00"


def day(when: date | datetime) -> str:
    """3 Nov 2026."""
    return f"{when.day} {when:%b %Y}"


def moment(when: datetime) -> str:
    """3 Nov 2026, 14:05 UTC."""
    return f"{day(when)}, {when:%H:%M} UTC"
