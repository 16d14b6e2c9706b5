"""The search terms by which products are found: kept beside them in the same transaction, looked up by prefix."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Index, Select, String, and_, delete, false, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from admin.catalogue.models import Product
from admin.db.engine import BigId, table
from admin.db.extensions import Model, db
from contract.search_terms import finds_nothing, query_terms, terms_of

FIELDS = {"title", "sku"}  # whose terms count
LONGEST = 40  # characters of a term that count
FEW = 500  # products; a search starts from a term that no more of them have
_AFTER_ALL = "\U0010ffff"  # sorts after whatever may follow a prefix


class ProductSearchTerm(Model):
    """One search term of a product, normalised as ``contract.search_terms`` does it. Deleted products keep theirs."""

    __tablename__ = "product_search_terms"
    __table_args__ = (Index("ix_product_search_terms_term", "term", "product_id"),)

    product_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    term: Mapped[str] = mapped_column(String(LONGEST), primary_key=True)


_INSERT = insert(table(ProductSearchTerm))


def note(created: Sequence[Product], renamed: Sequence[Product] = ()) -> None:
    """Write the terms of products that are new or have other ones now. The caller commits."""
    if renamed:
        db.session.execute(delete(ProductSearchTerm).where(ProductSearchTerm.product_id.in_([p.id for p in renamed])))
    rows = [{"product_id": p.id, "term": term} for p in (*created, *renamed) for term in of(p.title, p.sku)]
    if rows:
        db.session.connection().execute(_INSERT, rows)


def of(*texts: str) -> list[str]:
    """Return the search terms of ``texts`` as the table holds them."""
    return _stored(terms_of(*texts))


def narrow(query: Select[Any], q: str) -> Select[Any]:
    """Narrow a page of products to those with every term of ``q``, or one that begins so; to none where ``q`` holds
    signs alone.

    Starts from a term that few products have, whatever the order of the list. Where all are common, the list is
    read in its order and each product asked for its terms: the page is full soon.
    """
    if finds_nothing(q):
        return query.where(false())
    terms = _stored(query_terms(q))
    for term in sorted(terms, key=len, reverse=True):  # long ones are rare ones, more often than not
        few = _first(term)
        if len(few) <= FEW:
            query = query.with_hint(Product, "FORCE INDEX (PRIMARY)", "mysql")
            return query.where(Product.id.in_(few), *(_has(other) for other in terms if other != term))
    return query.where(*(_has(term) for term in terms))


def _stored(terms: list[str]) -> list[str]:
    return list(dict.fromkeys(term[:LONGEST] for term in terms))


def _first(term: str) -> Sequence[int]:
    """Return the first products with a term that begins so; one that has two is there twice."""
    query = select(ProductSearchTerm.product_id).where(_begins(term)).limit(FEW + 1)
    return db.session.execute(query).scalars().all()


def _has(term: str) -> ColumnElement[bool]:
    # A scalar subquery, which no optimizer turns into a join: it would gather all products of a common term first.
    found = (
        select(ProductSearchTerm.product_id).where(ProductSearchTerm.product_id == Product.id, _begins(term)).limit(1)
    )
    return found.correlate(Product).scalar_subquery().is_not(None)


def _begins(prefix: str) -> ColumnElement[bool]:
    return and_(ProductSearchTerm.term >= prefix, ProductSearchTerm.term < prefix + _AFTER_ALL)
