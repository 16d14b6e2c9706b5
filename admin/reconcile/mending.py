"""One run of ``diff --repair``: what is wrong is mended at once, a mass deletion only when it was asked for."""

from collections.abc import Sequence

from admin.reconcile import copies
from admin.reconcile.compare import ORPHANED, Difference, batched
from admin.reconcile.repair import BATCH, mend

ALWAYS, SHARE = 10, 100  # products that Admin never had: deleted unasked up to 10, or one in a hundred


Outcome = tuple[Difference, bool]  # whether it is mended


class Mending:
    """``allowed``: somebody said yes to deleting any number. Otherwise orphans wait until all are counted, in
    memory up to the limit. Raises ClientUnavailableError, as every method does.
    """

    def __init__(self, allowed: bool) -> None:
        self.limit = self.limit_of(copies.extent().live)
        self._allowed, self._count = allowed, 0
        self._orphans: list[Difference] = []

    @staticmethod
    def limit_of(live: int) -> int:
        return max(ALWAYS, live // SHARE)

    @property
    def withheld(self) -> int:
        """How many orphans were left alone, as they are too many."""
        return self._count if self._count > self.limit else 0

    def mend(self, drift: Sequence[Difference]) -> list[Outcome]:
        """Mend ``drift``, at most BATCH; return what came of it. Orphans may be kept for ``bury``."""
        waiting = [difference for difference in drift if difference.kind == ORPHANED and not self._allowed]
        done = _outcomes([difference for difference in drift if difference not in waiting])
        self._count += len(waiting)
        self._orphans += waiting
        if self.withheld:
            done += [(orphan, False) for orphan in self._orphans]
            self._orphans.clear()
        return done

    def bury(self) -> list[Outcome]:
        """Delete the orphans that were kept, as they are few enough; return what came of it."""
        return [outcome for batch in batched(self._orphans, BATCH) for outcome in _outcomes(batch)]


def _outcomes(drift: Sequence[Difference]) -> list[Outcome]:
    left = mend(drift) if drift else set()
    return [(difference, difference.id not in left) for difference in drift]
