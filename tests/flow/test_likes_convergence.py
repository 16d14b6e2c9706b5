"""The like flow on real stores: calls between the services are lost, repeated or late, and both sides converge."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admin.likes.service import apply_likes
from client.admin_gateway import AdminGateway, AdminUnavailableError
from client.likes import apply_outcomes, count, drain
from contract.messages import LikeChanged
from contract.service_calls import LikeOutcome
from tests.flow.likes_both_sides import BothSides

USERS, PRODUCTS = 3, 2
_user, _product = st.integers(0, USERS - 1), st.integers(0, PRODUCTS - 1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("toggle"), _user, _product, st.booleans()),
        st.tuples(st.sampled_from(["forward", "lose the call", "lose the answer", "count"])),
        st.tuples(st.sampled_from(["repeat a call", "repeat an answer"]), st.integers(0, 50)),
    ),
    max_size=14,
)


class _Wire:
    """Admin's real use case at the end of a line that loses, keeps and repeats."""

    def __init__(self) -> None:
        self.loses = ""
        self.calls: list[tuple[Sequence[LikeChanged], list[LikeOutcome]]] = []

    def send_likes(self, likes: Sequence[LikeChanged]) -> list[LikeOutcome]:
        if self.loses == "lose the call":
            raise AdminUnavailableError("lost")
        answer = self.deliver(likes)
        self.calls.append((likes, answer))
        if self.loses == "lose the answer":
            raise AdminUnavailableError("lost")
        return answer

    def deliver(self, likes: Sequence[LikeChanged]) -> list[LikeOutcome]:
        return [replace(outcome, received_at=None) for outcome in apply_likes(likes)]


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_any_interleaving_converges_to_what_the_shoppers_chose(sides: BothSides, steps: list[tuple[Any, ...]]) -> None:
    sides.empty()
    products, wire = [sides.new_product() for _ in range(PRODUCTS)], _Wire()
    sides.patient = cast(AdminGateway, wire)
    model: set[tuple[int, str]] = set()
    for step in steps:
        match step:
            case ("toggle", user, product, liked):
                key = (products[product], f"u{user}")
                sides.like(key[1], key[0], liked)
                (model.add if liked else model.discard)(key)
            case ("count",):
                count.count()
            case ("repeat a call", index) if wire.calls:
                wire.deliver(wire.calls[index % len(wire.calls)][0])
            case ("repeat an answer", index) if wire.calls:
                apply_outcomes.apply(*wire.calls[index % len(wire.calls)])
            case ("forward" | "lose the call" | "lose the answer" as loses,):
                forward(sides, wire, loses)
    wire.loses = ""
    sides.settle()
    sides.assert_equal(model)


def forward(sides: BothSides, wire: _Wire, loses: str) -> None:
    wire.loses = loses
    try:
        sides.forward()
    except drain.RetryLaterError:
        assert loses != "forward"
