"""One run of ``diff --repair``: what is wrong is repaired at once, a mass deletion only when it was asked for."""

from collections.abc import Sequence

from admin.reconcile import client_copy
from admin.reconcile.compare import Difference, batched
from admin.reconcile.repair import repair
from contract.service_calls import MAX_REPAIRS

ALWAYS, SHARE = 10, 100  # products are taken from the shop unasked up to 10, or one in a hundred


Outcome = tuple[Difference, bool]  # whether it is repaired


class RepairRun:
    """``allowed``: somebody said yes to deleting any number. Otherwise deletions wait until all are counted,
    in memory up to the limit. Raises ClientUnavailableError, as every method does.
    """

    def __init__(self, allowed: bool) -> None:
        self.limit = max(ALWAYS, client_copy.extent().live // SHARE)
        self._allowed, self._count = allowed, 0
        self._kept: list[Difference] = []

    @property
    def withheld(self) -> int:
        """How many deletions were left undone, as they are too many."""
        return self._count if self._count > self.limit else 0

    def repair(self, drift: Sequence[Difference]) -> list[Outcome]:
        """Repair ``drift``, at most MAX_REPAIRS; return what came of it. Deletions may be kept for ``delete``."""
        waiting = [difference for difference in drift if difference.deletes and not self._allowed]
        done = _outcomes([difference for difference in drift if difference not in waiting])
        self._count += len(waiting)
        self._kept += waiting
        if self.withheld:
            done += [(difference, False) for difference in self._kept]
            self._kept.clear()
        return done

    def delete(self) -> list[Outcome]:
        """Make the deletions that were kept, as they are few enough; return what came of it."""
        return [outcome for batch in batched(self._kept, MAX_REPAIRS) for outcome in _outcomes(batch)]


def _outcomes(drift: Sequence[Difference]) -> list[Outcome]:
    left = repair(drift) if drift else set()
    return [(difference, difference.id not in left) for difference in drift]
