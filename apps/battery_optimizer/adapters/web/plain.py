"""Times and numbers as the page's JSON has them."""

from datetime import UTC, datetime


def plain_time(moment: datetime) -> str:
    """ISO, UTC, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def plain_number(value: float | None, digits: int = 3) -> float | None:
    """Rounded, and no minus before nothing; None where it is not known."""
    return None if value is None else round(value, digits) + 0.0
