"""One run of ``diff --repair``: repairs drift at once, but makes a mass deletion only when that is allowed."""

from collections.abc import Sequence

from admin.reconcile import client_copy
from admin.reconcile.compare import Difference, batched
from admin.reconcile.repair import repair
from contract.service_calls import MAX_REPAIRS

ALWAYS, SHARE = 10, 100  # without permission, up to 10 deletions or one product in a hundred


Outcome = tuple[Difference, bool]  # whether it is repaired


class RepairRun:
    """Repairs drift and counts deletions. ``allowed`` permits any number of them; otherwise they wait until all are
    counted, in memory up to the limit. Every method raises ClientUnavailableError.
    """

    def __init__(self, allowed: bool) -> None:
        self.limit = max(ALWAYS, client_copy.extent().live // SHARE)
        self._allowed, self._count = allowed, 0
        self._waiting: list[Difference] = []

    @property
    def withheld(self) -> int:
        """How many deletions were not made because they are too many."""
        return self._count if self._count > self.limit else 0

    def repair(self, drift: Sequence[Difference]) -> list[Outcome]:
        """Repair ``drift``, at most MAX_REPAIRS products; return the outcomes of those that need not wait."""
        waiting = [difference for difference in drift if difference.deletes and not self._allowed]
        done = _outcomes([difference for difference in drift if difference not in waiting])
        self._count += len(waiting)
        self._waiting += waiting
        if self.withheld:
            done += [(difference, False) for difference in self._waiting]
            self._waiting.clear()
        return done

    def delete(self) -> list[Outcome]:
        """Make the deletions that waited; return their outcomes. The caller checks ``withheld`` first."""
        return [outcome for batch in batched(self._waiting, MAX_REPAIRS) for outcome in _outcomes(batch)]


def _outcomes(drift: Sequence[Difference]) -> list[Outcome]:
    left = repair(drift) if drift else set()
    return [(difference, difference.id not in left) for difference in drift]
