"""The words by which products are found: kept beside them in the same transaction, looked up by prefix."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Index, Select, String, and_, delete, false, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from admin.catalogue.models import Product
from admin.db.engine import BigId, table
from admin.db.extensions import Model, db
from contract.search_terms import finds_nothing, query_terms, terms_of

FIELDS = {"title", "sku"}  # whose words count
LONGEST = 40  # characters of a word that count
FEW = 500  # products; a search starts from a word that no more of them have
_AFTER_ALL = "\U0010ffff"  # sorts after whatever may follow a prefix


class ProductWord(Model):
    """One search term of a product, normalised as ``contract.search_terms`` does it. Deleted products keep theirs."""

    __tablename__ = "product_words"
    __table_args__ = (Index("ix_product_words_word", "word", "product_id"),)

    product_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    word: Mapped[str] = mapped_column(String(LONGEST), primary_key=True)


_INSERT = insert(table(ProductWord))


def note(created: Sequence[Product], renamed: Sequence[Product] = ()) -> None:
    """Write the words of products that are new or have other ones now. The caller commits."""
    if renamed:
        db.session.execute(delete(ProductWord).where(ProductWord.product_id.in_([p.id for p in renamed])))
    rows = [{"product_id": p.id, "word": word} for p in (*created, *renamed) for word in of(p.title, p.sku)]
    if rows:
        db.session.connection().execute(_INSERT, rows)


def of(*texts: str) -> list[str]:
    """Return the search terms of ``texts`` as the table holds them."""
    return _stored(terms_of(*texts))


def narrow(query: Select[Any], q: str) -> Select[Any]:
    """Narrow a page of products to those with every word of ``q``, or one that begins so; to none where ``q`` holds
    signs alone.

    Starts from a word that few products have, whatever the order of the list. Where all are common, the list is
    read in its order and each product asked for its words: the page is full soon.
    """
    if finds_nothing(q):
        return query.where(false())
    words = _stored(query_terms(q))
    for word in sorted(words, key=len, reverse=True):  # long ones are rare ones, more often than not
        few = _first(word)
        if len(few) <= FEW:
            query = query.with_hint(Product, "FORCE INDEX (PRIMARY)", "mysql")
            return query.where(Product.id.in_(few), *(_has(other) for other in words if other != word))
    return query.where(*(_has(word) for word in words))


def _stored(terms: list[str]) -> list[str]:
    return list(dict.fromkeys(term[:LONGEST] for term in terms))


def _first(word: str) -> Sequence[int]:
    """Return the first products with a word that begins so; one that has two is there twice."""
    query = select(ProductWord.product_id).where(_begins(word)).limit(FEW + 1)
    return db.session.execute(query).scalars().all()


def _has(word: str) -> ColumnElement[bool]:
    # A scalar subquery, which no optimizer turns into a join: it would gather all products of a common word first.
    found = select(ProductWord.product_id).where(ProductWord.product_id == Product.id, _begins(word)).limit(1)
    return found.correlate(Product).scalar_subquery().is_not(None)


def _begins(prefix: str) -> ColumnElement[bool]:
    return and_(ProductWord.word >= prefix, ProductWord.word < prefix + _AFTER_ALL)
