"""What the stores must contain after any schedule: the protocol in a few lines, without stores, clocks or messages."""

from dataclasses import dataclass, field

State = tuple[int, str | None]  # version, title; None: deleted
Key = tuple[int, str]


@dataclass
class Products:
    """Admin's products, the rows that are verified, and the Client's copy."""

    product: dict[int, State] = field(default_factory=dict)
    copy: dict[int, State] = field(default_factory=dict)
    verified: set[int] = field(default_factory=set)

    def change(self, id_: int, title: str | None) -> None:
        self.product[id_] = (self.product.get(id_, (0, None))[0] + 1, title)
        self.verified.discard(id_)

    def deliver(self, id_: int, state: State) -> None:
        if state[0] > self.copy.get(id_, (0, None))[0]:
            self.copy[id_] = state

    def edit(self, id_: int) -> None:
        self.copy[id_] = (self.copy[id_][0], "edited by hand")

    def verify(self, id_: int, claimed: State) -> None:
        if self.copy.get(id_) == claimed == self.product[id_]:
            self.verified.add(id_)

    def repair(self, id_: int, seen: State, state: State) -> None:
        if self.copy.get(id_) == seen:
            self.copy[id_] = state


@dataclass
class Likes:
    """The Client's likes (liked, revision), those that are pending or parked, and Admin's."""

    here: dict[Key, tuple[bool, int]] = field(default_factory=dict)
    pending: set[Key] = field(default_factory=set)
    parked: set[Key] = field(default_factory=set)
    admin: dict[Key, tuple[bool, int]] = field(default_factory=dict)

    def click(self, key: Key, liked: bool) -> None:
        was, revision = self.here.get(key, (False, 0))
        if was != liked:
            self.here[key] = (liked, revision + 1)
            self.pending.add(key)
            self.parked.discard(key)

    def arrive(self, key: Key, liked: bool, revision: int, living: bool) -> str:
        if self.admin.get(key, (False, 0))[1] >= revision:
            return "superseded"
        if liked and not living:
            return "gone"
        self.admin[key] = (liked, revision)
        return "applied"

    def answer(self, key: Key, revision: int, same: bool, outcome: str) -> None:
        if self.here[key][1] == revision and (same or outcome == "gone"):
            self.pending.discard(key)
            if outcome == "gone":
                self.parked.add(key)
