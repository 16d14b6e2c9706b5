"""The points where each process is killed: between each two steps of the product flow and the like flow."""

# Admin's web process: the transaction, the eager publisher, and batches of likes.
ADMIN = (
    "before:admin.db.writes:execute",
    "after:admin.db.writes:execute",  # all written, nothing committed
    "before:admin.outbox.eager_publisher:offer",  # committed, not published
    "after:admin.outbox.eager_publisher:offer",
    "before:contract.publisher:Publisher.publish",  # the eager publisher has it
    "after:contract.publisher:Publisher.publish",
    "before:admin.likes.service:_store",
    "after:admin.likes.service:_store",  # written, not committed
    "after:admin.likes.service:apply_likes",  # committed, not answered
)
# The relay while it sends. It only sends where the worker is paused, as the eager publisher sends first.
RELAY_SENDS = (
    "before:admin.relay.claims:claim",
    "after:admin.relay.claims:claim#3",  # claimed, so not due for a while
    "before:admin.outbox.dispatch:send",
    "after:admin.outbox.dispatch:send",  # confirmed, not recorded
    "before:contract.publisher:Publisher.publish",
    "after:contract.publisher:Publisher.publish",
)
# The relay while it verifies.
RELAY_VERIFIES = (
    "before:admin.outbox.client_gateway:ClientGateway.replica_states",
    "after:admin.outbox.client_gateway:ClientGateway.replica_states",  # the Client has answered
    "before:admin.relay.verify:_mark_verified",
    "after:admin.relay.verify:_mark_verified",  # recorded, not committed
    "after:admin.relay.verify:verify",
)
# A child of the Client's worker. It seldom counts likes: the web process counts most of them.
WORKER = (
    "before:contract.messages:ProductChanged.decode",
    "after:contract.messages:ProductChanged.decode",
    "before:client.replica.apply:apply",
    "before:client.replica.apply:write",
    "after:client.replica.apply:write",  # written, not acknowledged
    "after:client.replica.apply:apply",
    "before:client.admin_gateway:AdminGateway.send_likes",
    "after:client.admin_gateway:AdminGateway.send_likes",  # Admin has counted
    "before:client.likes.apply_outcomes:apply",
    "after:client.likes.apply_outcomes:apply",  # outcomes applied, not acknowledged
)
# The Client's web process: accepting and counting likes, and answering the relay.
CLIENT = (
    "before:client.likes.service:_toggle",
    "after:client.likes.service:_toggle",  # written, not announced
    "before:client.likes.count:_apply",
    "after:client.likes.count:_apply",  # in the transaction, not committed
    "after:client.likes.count:_count_batch",
    "before:contract.publisher:Publisher.publish",
    "after:contract.publisher:Publisher.publish",
    "after:client.replica.state:replica_states",  # read, not answered
)
