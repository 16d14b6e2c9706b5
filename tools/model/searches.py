"""The searches: which model, with which bounds, for which property; and the mutants, each without one guard."""

from dataclasses import dataclass, field

PRODUCTS, LIKES = "products", "likes"


@dataclass(frozen=True, slots=True)
class Search:
    """One search of a model. ``liveness`` checks that all ends in sync, under weak fairness; else assertions alone.

    ``mutant`` is the switch that removes a guard: the search must then find a counterexample. ``tells`` says in a few
    words what the search covers, or what the missing guard was.
    """

    name: str
    model: str
    bounds: str  # as NAME=N, with spaces between
    tells: str
    liveness: bool = False
    mutant: str = ""
    short: bool = True
    compress: bool = False  # states in compressed form: less memory, more time
    flags: list[str] = field(init=False)

    def __post_init__(self) -> None:
        names = [
            *self.bounds.split(),
            *([self.mutant] if self.mutant else []),
            *(["LIVENESS"] if self.liveness else []),
        ]
        object.__setattr__(self, "flags", [f"-D{name}" for name in names])


_ONE = "PRODUCTS=1 RELAYS=1 WORKERS=1"
_ADMIN = f"{_ONE} ADMIN_RESTORES=1 GENERATIONS=4"
_CLIENT = f"{_ONE} CLIENT_RESTORES=1 GENERATIONS=4"
_RESTORED = "SHOPPERS=1 CLIENT_RESTORES=1 CLICKS=3 TABS=1 DRAINS=1"

SEARCHES = [
    Search("two products", PRODUCTS, "RELAYS=1 WORKERS=1 LOSSES=1 REPEATS=1 CRASHES=1", "loss, repeat, kill"),
    Search("two relays", PRODUCTS, "PRODUCTS=1 RELAYS=2 WORKERS=1", "claims and verification side by side"),
    Search("two workers", PRODUCTS, "PRODUCTS=1 RELAYS=1 WORKERS=2 LOSSES=1 REPEATS=1", "reorder, repeat, loss"),
    Search("three changes", PRODUCTS, f"{_ONE} WRITES=3 REPEATS=1", "create, delete, restore"),
    Search("refusal", PRODUCTS, "RELAYS=1 WORKERS=1 REFUSALS=1", "a state that every worker refuses"),
    Search("resync", PRODUCTS, f"{_ONE} RESYNCS=1", "resync_product beside the traffic"),
    Search("failover", PRODUCTS, f"{_ONE} FAILOVERS=1", "the Client's store loses what no majority has"),
    Search("Client restored", PRODUCTS, f"{_CLIENT} WRITES=1", "restore, alarm, recover"),
    Search("Admin restored", PRODUCTS, f"{_ADMIN} WRITES=1", "restore, alarm, recover"),
    Search("delivered", PRODUCTS, f"{_ONE} LOSSES=1 PURGES=1 CRASHES=1", "all is verified", True),
    Search("refused", PRODUCTS, f"{_ONE} REFUSALS=1", "verified, or refused with the reason", True),
    Search("edited by hand", PRODUCTS, f"{_ONE} EDITS=1 WRITES=1", "all is repaired", True),
    Search("Admin recovered", PRODUCTS, f"{_ADMIN} WRITES=1", "all is verified", True),
    Search("likes", LIKES, "COUNTERS=2 REPEATS=1", "two shoppers, two tabs, leases that expire"),
    Search("one shopper", LIKES, "SHOPPERS=1 COUNTERS=2 CLICKS=3 REPEATS=1", "two tabs, two counters, two drains"),
    Search("likes, Client restored", LIKES, "SHOPPERS=1 CLIENT_RESTORES=1 CLICKS=3 TABS=1", "restore, send again"),
    Search("forwarded", LIKES, "TABS=1", "two shoppers: both counts equal the set", True),
    Search("erased", LIKES, "SHOPPERS=1 ERASURES=1 DRAINS=1", "no like of an erased account is left", True),
    Search("likes recovered, Admin", LIKES, "SHOPPERS=1 ADMIN_RESTORES=1 TABS=1", "both sides are equal", True),
    Search(
        "likes recovered, Client",
        LIKES,
        _RESTORED,
        "both are equal",
        True,
    ),
    Search("two products, two relays", PRODUCTS, "WORKERS=1 LOSSES=1", "loss", short=False, compress=True),
    Search("two products, two workers", PRODUCTS, "RELAYS=1 LOSSES=1 REPEATS=1", "reorder", short=False, compress=True),
    Search("three changes, kills", PRODUCTS, f"{_ONE} WRITES=3 LOSSES=1 REPEATS=1 CRASHES=1", "kill", short=False),
    Search("Admin restored, two changes", PRODUCTS, _ADMIN, "restore", short=False),
    Search("Client recovered", PRODUCTS, f"{_CLIENT} WRITES=1", "verified", True, short=False),
    Search("two shoppers, three clicks", LIKES, "COUNTERS=2 CLICKS=3 REPEATS=1", "all", short=False),
    Search("likes recovered, two drains", LIKES, _RESTORED.replace(" DRAINS=1", ""), "both equal", True, short=False),
]


def _mutant(model: str, switch: str, bounds: str, tells: str, liveness: bool = False) -> Search:
    return Search(switch, model, bounds, tells, liveness, switch)


MUTANTS = [
    _mutant(PRODUCTS, "NO_VERSION_GUARD", f"{_ONE} REPEATS=1", "A5 writes whatever arrives"),
    _mutant(PRODUCTS, "VERSION_GUARD_READ_BEFORE", "PRODUCTS=1 RELAYS=1", "A5 compares, then writes, in two steps"),
    _mutant(PRODUCTS, "TOMBSTONES_REMOVED", f"{_ONE} REPEATS=1", "a delete removes the document"),
    _mutant(PRODUCTS, "VERIFIED_BY_STORED_CHECKSUM", f"{_ONE} EDITS=1 WRITES=1", "A6 trusts the stored checksum", True),
    _mutant(PRODUCTS, "VERIFIED_WHEN_PUBLISHED", f"{_ONE} LOSSES=1", "a publisher confirm counts as arrival"),
    _mutant(PRODUCTS, "VERIFIED_BY_LOCAL_READ", f"{_ONE} FAILOVERS=1", "A6 reads what no majority has"),
    _mutant(PRODUCTS, "MARKED_WITHOUT_SEQUENCE", _ONE, "a verification marks the row whatever its sequence is now"),
    _mutant(PRODUCTS, "PUBLISHED_BEFORE_COMMIT", _ONE, "A2 sends before the transaction is committed"),
    _mutant(PRODUCTS, "OUTBOX_IN_A_SECOND_TRANSACTION", f"{_ONE} CRASHES=1", "A1 commits the product first", True),
    _mutant(PRODUCTS, "CLAIM_TAKES_THE_ROW", f"{_ONE} CRASHES=1", "a claim removes the row from the outbox", True),
    _mutant(PRODUCTS, "STATE_AND_SEQUENCE_APART", _ONE, "a message's state and sequence are read apart"),
    _mutant(PRODUCTS, "REPAIRED_WITHOUT_COMPARING", f"{_ONE} EDITS=1", "a repair overwrites a copy that changed"),
    _mutant(
        PRODUCTS, "RESYNC_READS_COPY_AFTER_ADMIN", f"{_ONE} RESYNCS=1", "a resync reads the copy after asking Admin"
    ),
    _mutant(PRODUCTS, "EPOCH_NOT_LOCKED", _ADMIN, "a writer keeps the old epoch"),
    _mutant(PRODUCTS, "EPOCH_NOT_RAISED", _ADMIN, "recover keeps the epoch"),
    _mutant(
        PRODUCTS,
        "ACKNOWLEDGED_WHEN_SENT",
        f"{_ONE} GENERATIONS=4 CRASHES=1",
        "Admin counts a generation before its answer",
    ),
    _mutant(
        PRODUCTS,
        "GENERATION_STORED_AT_ONCE",
        f"{_CLIENT} WRITES=1 CRASHES=1",
        "the Client stores a generation before its last was acknowledged",
        True,
    ),
    _mutant(LIKES, "LIKE_READ_BEFORE_WRITE", "SHOPPERS=1", "L1 reads the like, then writes it"),
    _mutant(LIKES, "COUNTED_WITHOUT_REVISION", "SHOPPERS=1", "L3 does not compare the revision", True),
    _mutant(LIKES, "COUNTED_UNDER_THE_LEASE_ALONE", "SHOPPERS=1 COUNTERS=2", "L3 trusts its lease"),
    _mutant(LIKES, "COUNTED_IN_TWO_WRITES", "SHOPPERS=1", "L3 marks, then adds, without a transaction", True),
    _mutant(LIKES, "NO_SWEEP", "SHOPPERS=1 DRAINS=1 CLICKS=1", "nothing enqueues the drain again", True),
    _mutant(LIKES, "APPLIED_WITHOUT_REVISION", "SHOPPERS=1", "L5 applies older revisions"),
    _mutant(
        LIKES,
        "COUNTED_AT_EACH_CALL",
        "SHOPPERS=1 CLICKS=3",
        "L5 counts a like without its stored state",
    ),
    _mutant(LIKES, "COUNT_NOT_LOCKED", "SHOPPERS=1", "L5 reads the state before it locks"),
    _mutant(LIKES, "CLEARED_WITHOUT_REVISION", "SHOPPERS=1", "L6 clears pending whatever the revision is now", True),
    _mutant(LIKES, "ERASED_ONCE", "SHOPPERS=1 ERASURES=1 DRAINS=1", "an erasure is not resumed", True),
    _mutant(LIKES, "LIKES_NOT_SENT_AGAIN", "SHOPPERS=1 ADMIN_RESTORES=1 TABS=1", "a recovery leaves likes alone", True),
    _mutant(
        LIKES,
        "ANSWER_KEPT_AFTER_RESTORE",
        "SHOPPERS=1 ADMIN_RESTORES=1 TABS=1",
        "an answer from before Admin's restore is kept after it",
        True,
    ),
    _mutant(
        LIKES,
        "SUPERSEDED_TAKEN_AS_APPLIED",
        "SHOPPERS=1 CLIENT_RESTORES=1 TABS=1 DRAINS=1",
        "after a restore, `superseded` ends the like",
        True,
    ),
    _mutant(
        LIKES,
        "ADMINS_STATE_ALWAYS_ADOPTED",
        _RESTORED,
        "after a restore, Admin's state replaces newer clicks",
        True,
    ),
]

# Each mutant's bounds without its switch must be searched without an error, else the mutant proves nothing.
_SEARCHED = {(search.model, search.bounds, search.liveness) for search in SEARCHES}
CONTROLS = [
    Search(f"control of {mutant.name}", mutant.model, mutant.bounds, mutant.tells, mutant.liveness, short=False)
    for mutant in {(mutant.model, mutant.bounds, mutant.liveness): mutant for mutant in MUTANTS}.values()
    if (mutant.model, mutant.bounds, mutant.liveness) not in _SEARCHED
]
