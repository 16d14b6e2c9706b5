"""Product ids are never used twice, not even by a database that came back from a backup."""

from sqlalchemy import func, select, text

from admin.extensions import db
from admin.products.models import Product


def reserve_ids(upto: int) -> None:
    """Make sure that the next product gets an id above ``upto``. Commits."""
    highest = max(upto, db.session.execute(select(func.coalesce(func.max(Product.id), 0))).scalar_one())
    if db.engine.dialect.name == "sqlite":
        found = db.session.execute(text("SELECT seq FROM sqlite_sequence WHERE name = 'products'")).scalar()
        statement = "UPDATE sqlite_sequence SET seq = :seq WHERE name = 'products'"
        if found is None:
            statement = "INSERT INTO sqlite_sequence (name, seq) VALUES ('products', :seq)"
        db.session.execute(text(statement), {"seq": max(highest, found or 0)})
    else:
        # It only ever rises: a lower number than the highest id is taken as that id + 1.
        db.session.execute(text(f"ALTER TABLE products AUTO_INCREMENT = {int(highest) + 1}"))
    db.session.commit()
