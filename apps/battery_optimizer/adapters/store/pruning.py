"""Once a day what is too old to keep is thrown away."""

from datetime import datetime, timedelta
from typing import Final

from battery_optimizer.adapters.store.sqlite import Store

_EVERY: Final = timedelta(days=1)
_LATEST: Final = timedelta(days=3)
_PRUNED_AT: Final = "pruned at"


class Pruning:
    """Of one store, which remembers when it was last done."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pruned_at: datetime | None = None

    def keep_up(self, now: datetime) -> None:
        """Throw away what is too old, if a day has gone by.

        Not when the clock has just jumped by days: by a wrong year, everything would be too old.
        """
        pruned_at = self._pruned_at or self._remembered() or now - _LATEST
        since = now - pruned_at
        if timedelta(0) <= since < _EVERY:
            self._pruned_at = pruned_at
            return
        if _EVERY <= since < _LATEST:
            self._store.prune(now)
        self._store.put_state(_PRUNED_AT, now.isoformat())
        self._pruned_at = now

    def _remembered(self) -> datetime | None:
        kept = self._store.get_state(_PRUNED_AT)
        return None if kept is None else datetime.fromisoformat(kept)
