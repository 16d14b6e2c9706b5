"""Check the arguments of the product tasks, which operators may call by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

from contract import names
from contract.messages import MAX_IDS
from contract.versions import MAX_SEQUENCE

PRODUCT_TASKS = {  # each takes one argument
    names.SYNC_PRODUCT: "message",
    names.SYNC_PRODUCTS: "messages",
    names.RESYNC_PRODUCT: "product_id",
    names.RESYNC_PRODUCTS: "product_ids",
}
_SHOWN = 60  # characters of a wrong argument


def wrong_call(task: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
    """Return why the product task ``task`` cannot be called with these arguments, None where it can be."""
    name, count = PRODUCT_TASKS[task], len(args) + len(kwargs)
    if count != 1:
        return f"{task} takes one argument, {name}, not {count}"
    if kwargs and name not in kwargs:
        return f"{task} takes no argument {_show(*kwargs)}, only {name}"
    return None


def wrong_ids(given: Any) -> str | None:
    """Return why ``given`` is no list of product ids for one resync task, None where it is one."""
    if not isinstance(given, list):
        return f"product_ids must be a list of ids such as [42], not {_show(given)}"
    if not given:
        return "product_ids is empty; name at least one product"
    if len(given) > MAX_IDS:
        return f"product_ids has {len(given)} ids; the limit of one task is {MAX_IDS}"
    wrong = [item for item in given if not _is_id(item)]
    return f"{_show(wrong[0])} is not a product id; ids are whole numbers from 1 to {MAX_SEQUENCE}" if wrong else None


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_SEQUENCE


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
