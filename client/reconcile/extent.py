"""How far the copy reaches: what Admin must stay above when it gives out ids and vers."""

from client.extensions import MAJORITY
from client.products.documents import ProductCopy
from tasks.digests import MAX_ID


def extent() -> dict[str, int]:
    """Return highest_id and highest_ver (0: none) and how many documents are live and deleted.

    Ids beyond MAX_ID are nobody's: somebody typed them in.
    """
    copies = ProductCopy._get_collection().with_options(read_concern=MAJORITY)
    last = copies.find_one({"_id": {"$gt": 0, "$lte": MAX_ID}}, {"_id": 1}, sort=[("_id", -1)])
    # Typed comparison: what is no number is left out. No index: a recovery may read them all once.
    newest = copies.find_one({"ver": {"$gt": 0}}, {"ver": 1}, sort=[("ver", -1)])
    deleted = copies.count_documents({"deleted": True})
    return {
        "highest_id": int(last["_id"]) if last else 0,
        "highest_ver": int(newest["ver"]) if newest else 0,
        "live": copies.count_documents({}) - deleted,
        "deleted": deleted,
    }
