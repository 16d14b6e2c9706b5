"""Reads the items of a batch: each is what to create, update or delete, or the problem that it has by itself."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import marshmallow as ma

from admin.catalogue import validation
from admin.catalogue.service import ANY_VERSION
from contract.product_rules import RULES
from web.http.problems import ProblemError, flatten

ACTIONS = CREATE, UPDATE, DELETE = ("create", "update", "delete")
ANY = "*"  # the version that stands for every one
MAX_ID = 10**18 - 1  # of an id or a version; a path has no longer ones
_FIELDS = {
    CREATE: {"action", "product"},
    UPDATE: {"action", "id", "sku", "version", "product"},
    DELETE: {"action", "id", "sku", "version"},
}
_LISTED, _SHOWN = 20, 200  # errors of an item; characters of a field's name that the caller made up
Errors = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Item:
    """One change. An update or a delete has the ``id`` or the ``sku`` of its product, and ``expected`` versions.

    ``content`` is validated: of a new product without defaults, or the changes of an update.
    """

    index: int
    action: str
    id: int | None
    sku: str | None
    expected: Container[int]
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """An item that is not carried out, and why."""

    index: int
    problem: ProblemError


class BadItemError(ProblemError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class UnversionedItemError(ProblemError):
    """An update or a delete that does not name the version that it is based on (decision 33)."""

    status = HTTPStatus.PRECONDITION_REQUIRED


def read(items: Sequence[Any]) -> list[Item | Refused]:
    """Return each of ``items`` (parsed JSON) in its place."""
    return [_read(index, item) for index, item in enumerate(items)]


def _read(index: int, raw: Any) -> Item | Refused:
    try:
        return _item(index, raw)
    except ProblemError as problem:
        return Refused(index, problem)


def _item(index: int, raw: Any) -> Item:
    if not isinstance(raw, dict):
        raise BadItemError("The item must be an object.", [{"field": "item", "detail": "is not an object"}])
    action = raw.get("action")
    if action not in ACTIONS:
        raise _bad([_error("action", f"Must be one of {', '.join(ACTIONS)}.")])
    errors = [_error(name, f"Has no meaning in a {action}.") for name in raw if name not in _FIELDS[action]]
    errors += [] if action == CREATE else _wrong_target(raw)
    content = {} if action == DELETE else _content(action, raw.get("product"), errors)
    if errors:
        raise _bad(errors)
    expected = () if action == CREATE else _expected(raw)
    return Item(index, action, _whole(raw.get("id")), raw.get("sku"), expected, content)


def _wrong_target(raw: Mapping[str, Any]) -> Iterable[dict[str, str]]:
    """Yield what is wrong with the fields that name the product and its version."""
    if ("id" in raw) == ("sku" in raw):
        yield _error("id", "Send either the id or the sku of the product.")
    elif "id" in raw and _whole(raw["id"]) is None:
        yield _error("id", "Must be a positive integer.")
    elif "sku" in raw and (problem := _wrong_sku(raw["sku"])):
        yield _error("sku", problem)
    if "version" in raw and raw["version"] != ANY and _whole(raw["version"]) is None:
        yield _error("version", 'Must be the version that you read, or "*" for any version.')


def _wrong_sku(sku: Any) -> str | None:
    return RULES["sku"].problem(sku) if isinstance(sku, str) else "Not a valid string."


def _content(action: str, product: Any, errors: Errors) -> dict[str, Any]:
    """Return what is to be stored; append what is wrong with it to ``errors``."""
    try:
        return validation.content(product) if action == CREATE else validation.changes(product)
    except ma.ValidationError as error:
        found = flatten(error.messages, "product")
        errors += [_error(one["field"].removesuffix("._schema"), one["detail"]) for one in found]
        return {}


def _expected(raw: Mapping[str, Any]) -> Container[int]:
    if "version" not in raw:
        raise UnversionedItemError(
            'Nothing was changed. Send the version of the product that you read, or "*" for any version.',
            [_error("version", "is missing")],
        )
    return ANY_VERSION if raw["version"] == ANY else (_whole(raw["version"]) or 0,)


def _whole(value: Any) -> int | None:
    """Return a positive integer, which JSON may write as 5 or as 5.0; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= MAX_ID or value % 1:
        return None
    return int(value)


def _error(field: str, detail: str) -> dict[str, str]:
    return {"field": field[:_SHOWN], "detail": detail}


def _bad(errors: Errors) -> BadItemError:
    return BadItemError("Some fields are invalid; see errors.", errors[:_LISTED])
