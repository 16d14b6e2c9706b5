"""Arguments of tasks are checked to be text before a query: publishers on the broker choose the type."""

from typing import Any

import pytest
from celery.exceptions import Reject

import tasks
from contract import names
from contract.app import app


@pytest.mark.parametrize("task", [names.RETRY_LIKES])
@pytest.mark.parametrize("given", [{"$ne": None}, ["a"], 5, None], ids=str)
def test_id_of_another_type_is_rejected_into_the_dead_letters(task: str, given: Any) -> None:
    tasks.import_bodies()
    with pytest.raises(Reject) as rejected:
        app.tasks[task](given)
    assert not rejected.value.requeue
