"""Words that outlive the process."""

from typing import Protocol


class Memory(Protocol):
    """Keeps words across restarts."""

    def get_state(self, key: str) -> str | None:
        """What was kept."""

    def put_state(self, key: str, value: str) -> None:
        """Keep this."""
