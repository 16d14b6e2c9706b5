"""The runner of the model's searches. scripts/test runs the searches themselves: ``python -m tools.model``."""

import re

import pytest

from tools.model.__main__ import line_of
from tools.model.searches import CONTROLS, LIKES, MUTANTS, PRODUCTS, SEARCHES, Search
from tools.model.spin import FOLDER, run

_BOUNDS = r"LIVENESS|ANSWER_OUTLIVES_RESTORE"  # switches that add behaviour instead of removing a guard
_SMALL = "SHOPPERS=1 CLICKS=1 DRAINS=1"


@pytest.mark.parametrize("model", [PRODUCTS, LIKES])
def test_every_switch_of_a_model_is_a_mutant(model: str) -> None:
    text = (FOLDER / f"{model}.pml").read_text(encoding="utf-8")
    switches = set(re.findall(r"#ifn?def (\w+)|defined\((\w+)\)", text))
    bounds = set(re.findall(r"#ifndef (\w+)\n#define \1 ", text))
    names = {first or second for first, second in switches} - bounds
    assert {name for name in names if not re.fullmatch(_BOUNDS, name)} == {
        mutant.mutant for mutant in MUTANTS if mutant.model == model
    }


def test_names_of_searches_are_unique() -> None:
    names = [search.name for search in (*SEARCHES, *MUTANTS, *CONTROLS)]
    assert len(names) == len(set(names))


def test_search_of_the_design_is_complete_and_finds_nothing() -> None:
    result = run(Search("small", LIKES, _SMALL, "", liveness=True))
    assert result.good
    assert result.states > 50
    assert result.megabytes > 0
    assert "ok" in line_of(result)


def test_mutant_that_is_not_found_fails() -> None:
    result = run(Search("harmless", LIKES, _SMALL, "", mutant="CHANGES_NOTHING"))
    assert not result.good
    assert "SURVIVED" in line_of(result)


def test_counterexample_fails_a_search_of_the_design() -> None:
    result = run(Search("broken", LIKES, "SHOPPERS=1 APPLIED_WITHOUT_REVISION", ""))
    assert not result.good
    assert result.steps > 0
    assert any("Admin web: apply" in line for line in result.story)


def test_search_that_reaches_the_depth_limit_is_not_complete() -> None:
    result = run(Search("shallow", LIKES, _SMALL, ""), depth=20)
    assert not result.good
    assert "NOT COMPLETE" in line_of(result)
