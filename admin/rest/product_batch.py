"""REST: many creates, updates and deletes of products in one request."""

from collections import Counter
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify

from admin.accounts.identity import author
from admin.accounts.models import EDITOR
from admin.accounts.tokens import api_for
from admin.catalogue import batch_items, idempotency
from admin.catalogue.batch import BatchRefusedError, Outcome, apply_batch
from admin.catalogue.batch_items import Refused
from admin.catalogue.bulk import CREATED
from admin.rest.batch_schemas import (
    EXAMPLE,
    RESULTS,
    BatchProblemSchema,
    BatchQuerySchema,
    BatchResultSchema,
    BatchSchema,
)
from admin.rest.keys import idempotency_key
from admin.rest.preconditions import etag
from web.http.api import Blueprint, bearer_doc
from web.http.openapi import IDEMPOTENCY_KEY
from web.http.problems import PROBLEM_TYPE, ProblemError
from web.http.uploads import accepts_body

MAX_MEBIBYTES = 2

blp = Blueprint("batch", __name__, url_prefix="/api/v1/products", description="Many products at once")


class NothingStoredError(ProblemError):
    """An atomic batch has items that cannot be carried out."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


@blp.route("/batch", methods=["POST"])
@accepts_body(MAX_MEBIBYTES)
@api_for(EDITOR)
@blp.doc(**bearer_doc(beside=[IDEMPOTENCY_KEY]))
@blp.arguments(BatchQuerySchema, location="query")
@blp.arguments(BatchSchema, example=EXAMPLE)
@blp.response(200, BatchResultSchema)
@blp.alt_response(
    422,
    schema=BatchProblemSchema,
    content_type=PROBLEM_TYPE,
    description="Not a batch, or an atomic one with items that cannot be carried out",
)
def change_products(query: dict[str, Any], body: dict[str, Any]) -> Response:
    """Create, update and delete up to 500 products in one transaction, with an outcome for each item.

    Items that cannot be carried out are reported with their problem, and the others are stored, unless `atomic` is
    true. A repeated Idempotency-Key returns the first answer and changes nothing.
    """
    with idempotency.claim(author(), idempotency_key(), {**query, **body}) as claim:
        if claim and claim.answer:
            return _answer(claim.answer, {"Idempotent-Replayed": "true"})
        store_answer = (lambda outcomes: claim.store(_body(outcomes))) if claim else (lambda _outcomes: None)
        try:
            items = batch_items.read(body["items"])
            return _answer(_body(apply_batch(items, author(), query["lane"], query["atomic"], store_answer)))
        except BatchRefusedError as error:
            raise _nothing_stored(error.refused, len(body["items"])) from None


def _answer(body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    response = jsonify(body)
    response.headers.update(headers or {})
    return response


def _body(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    shown = [_shown(outcome) for outcome in outcomes]
    counts = Counter(one.get("result", "refused") for one in shown)
    return {"items": shown, **{result: counts[result] for result in (*RESULTS, "refused")}}


def _shown(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Refused):
        return _shown_problem(outcome)
    product = outcome.after
    status = HTTPStatus.CREATED if outcome.result == CREATED else HTTPStatus.OK
    return {
        "index": outcome.index,
        "status": int(status),
        "result": outcome.result,
        "id": product.id,
        "sku": product.sku,
        "version": product.version,
        "etag": etag(product.version),
    }


def _shown_problem(refused: Refused) -> dict[str, Any]:
    problem = refused.problem
    status = int(problem.status)
    shown = {"title": problem.title or problem.status.phrase, "status": status, "detail": problem.detail}
    return {"index": refused.index, "status": status, "problem": {**shown, "errors": problem.errors}}


def _nothing_stored(refused: Sequence[Refused], items: int) -> NothingStoredError:
    errors = [
        {**error, "field": f"items.{one.index}.{error['field']}"} for one in refused for error in one.problem.errors
    ]
    return NothingStoredError(
        f"Nothing was changed: {len(refused)} of {items} items cannot be carried out; see errors.",
        errors,
        items=[_shown_problem(one) for one in refused],
    )
