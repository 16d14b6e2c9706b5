"""The figures of the benchmark: medians, ratios, parts, goals."""

import pytest

from tools.bench.errors import BenchError
from tools.bench.figures import Figure, alternate, of_rounds, percentile, ratio, total


def test_a_goal_is_met_at_its_bound() -> None:
    assert Figure("a", 2.0, "ms", at_most=2.0).met
    assert Figure("a", 2.0, "/s", at_least=2.0).met
    assert Figure("a", 2.1, "ms", at_most=2.0).met is False
    assert Figure("a", 1.9, "/s", at_least=2.0).met is False
    assert Figure("a", 1.9, "/s").met is None


def test_rounds_give_their_median_and_their_spread() -> None:
    figure = of_rounds("a", [3.0, 1.0, 8.0], "ms")
    assert (figure.value, figure.spread) == (3.0, (1.0, 8.0))
    assert of_rounds("a", [3.0], "ms").spread is None


def test_a_ratio_is_taken_within_each_round() -> None:
    figure = ratio("a", [10.0, 40.0, 90.0], [10.0, 20.0, 30.0], "/s", at_least=2.0)
    assert (figure.value, figure.spread, figure.met) == (2.0, (1.0, 3.0), True)
    assert figure.note == "40 /s ÷ 20 /s"


def test_a_ratio_refuses_rounds_that_lack_a_value() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio("a", [1.0, 2.0], [1.0], "/s")


def test_a_total_is_the_median_of_the_sums_and_names_the_largest_part_first() -> None:
    rounds = [{"web": 1.0, "store": 5.0}, {"web": 2.0, "store": 2.0}, {"web": 3.0, "store": 40.0}]
    figure = total("a", rounds, "ms", at_most=6.0)
    assert (figure.value, figure.spread, figure.met) == (6.0, (4.0, 43.0), True)
    assert figure.remarks == "store 5, web 2"


def test_a_percentile_is_a_measured_value() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.99) == 7


def test_a_percentile_of_nothing_is_an_error() -> None:
    with pytest.raises(BenchError, match="nothing was measured"):
        percentile([], 0.5)


def test_every_second_round_goes_backwards_so_that_a_drift_affects_all_alike() -> None:
    calls: list[str] = []

    def measure(name: str) -> str:
        calls.append(name)
        return name

    results = alternate(3, lambda: measure("a"), lambda: measure("b"))
    assert calls == ["a", "b", "b", "a", "a", "b"]
    assert results == [["a"] * 3, ["b"] * 3]
