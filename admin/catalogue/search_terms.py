"""Search terms of products: stored in the transaction that changes the product, found by prefix."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Index, Select, String, and_, false, select
from sqlalchemy.orm import Mapped, mapped_column

from admin.catalogue.models import Product, ProductRow
from admin.db.engine import BigId
from admin.db.extensions import Model, db
from admin.db.writes import Delete, Write, delete_rows, insert_rows
from contract.search_terms import finds_nothing, query_terms, terms_of

FIELDS = {"title", "sku"}  # that are searched
LONGEST = 40  # characters of a stored term
FEW = 500  # products; a search starts from a term with at most this number
_AFTER_ALL = "\U0010ffff"  # sorts after every character that may follow a prefix


class ProductSearchTerm(Model):
    """One search term of a product, normalised as ``contract.search_terms`` does it. Those of deleted products stay."""

    __tablename__ = "product_search_terms"
    __table_args__ = (Index("ix_product_search_terms_term", "term", "product_id"),)

    product_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    term: Mapped[str] = mapped_column(String(LONGEST), primary_key=True)


def writes(
    created: Sequence[Product | ProductRow], renamed: Sequence[Product | ProductRow] = ()
) -> Iterator[Write | Delete]:
    """Yield the writes that store the terms of created products, and replace those of renamed ones."""
    if renamed:
        yield delete_rows(ProductSearchTerm, [product.id for product in renamed])
    rows = [(p.id, term) for p in (*created, *renamed) for term in of(p.title, p.sku)]
    if rows:
        yield insert_rows(ProductSearchTerm, ("product_id", "term"), rows)


def of(*texts: str) -> list[str]:
    """Return the search terms of ``texts`` as the table stores them."""
    return _stored(terms_of(*texts))


def narrow(query: Select[Any], q: str) -> Select[Any]:
    """Narrow a page of products to those that have, for every term of ``q``, a term that begins with it.

    A ``q`` of punctuation alone finds nothing. The search starts from a term that few products have. Where all terms
    are common, the list is read in its order and each product's terms are checked, which fills a page soon.
    """
    if finds_nothing(q):
        return query.where(false())
    terms = _stored(query_terms(q))
    for term in sorted(terms, key=len, reverse=True):  # long terms are usually rare
        few = _first(term)
        if len(few) <= FEW:
            query = query.with_hint(Product, "FORCE INDEX (PRIMARY)", "mysql")
            return query.where(Product.id.in_(few), *(_has(other) for other in terms if other != term))
    return query.where(*(_has(term) for term in terms))


def _stored(terms: list[str]) -> list[str]:
    return list(dict.fromkeys(term[:LONGEST] for term in terms))


def _first(term: str) -> Sequence[int]:
    """Return the first products with a term that begins with ``term``, once per such term."""
    query = select(ProductSearchTerm.product_id).where(_begins(term)).limit(FEW + 1)
    return db.session.execute(query).scalars().all()


def _has(term: str) -> ColumnElement[bool]:
    # A scalar subquery, as optimizers turn other forms into a join that reads all products of a common term first.
    found = (
        select(ProductSearchTerm.product_id).where(ProductSearchTerm.product_id == Product.id, _begins(term)).limit(1)
    )
    return found.correlate(Product).scalar_subquery().is_not(None)


def _begins(prefix: str) -> ColumnElement[bool]:
    return and_(ProductSearchTerm.term >= prefix, ProductSearchTerm.term < prefix + _AFTER_ALL)
