"""The highest id and sequence in the copy; Admin assigns new ones above them after a restore."""

from client.replica.documents import ProductCopy
from client.store import MAJORITY
from contract.digests import MAX_ID
from contract.service_calls import Extent
from contract.versions import MAX_EPOCH, compose


def extent() -> Extent:
    """Return highest_id and highest_sequence (0: none), and the number of live and deleted products.

    Ids above MAX_ID come from manual edits and are ignored.
    """
    copies = ProductCopy._get_collection().with_options(read_concern=MAJORITY)
    last = copies.find_one({"_id": {"$gt": 0, "$lte": MAX_ID}}, {"_id": 1}, sort=[("_id", -1)])
    # Whole numbers only, and none in the last epoch: a recovery needs one above. There is no index, so this may read
    # every document.
    valid = {"$type": ["int", "long"], "$not": {"$type": "array"}, "$gt": 0, "$lt": compose(MAX_EPOCH, 0)}
    newest = copies.find_one({"sequence": valid}, {"sequence": 1}, sort=[("sequence", -1)])
    deleted = copies.count_documents({"deleted": True})
    return Extent(
        highest_id=int(last["_id"]) if last else 0,
        highest_sequence=int(newest["sequence"]) if newest else 0,
        live=copies.count_documents({}) - deleted,
        deleted=deleted,
    )
