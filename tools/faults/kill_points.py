"""Where each process is killed: between each pair of steps of A1…A6 and L1…L6."""

# Admin's web process: A1, A2.
ADMIN = (
    "before:admin.outbox.outbox:record",
    "after:admin.outbox.outbox:record",  # all written, nothing committed
    "before:admin.outbox.eager_publisher:offer",  # committed, nobody told
    "after:admin.outbox.eager_publisher:offer",
    "before:contract.publisher:Publisher.publish",  # A2 has it in hand
    "after:contract.publisher:Publisher.publish",
    "before:admin.likes.service:_store",  # L5
    "after:admin.likes.service:_store",  # written, not committed
    "after:admin.likes.service:apply_likes",  # committed, not answered
)
# The relay while it sends, A3: reached soon only where nothing arrives by itself.
RELAY_SENDS = (
    "before:admin.relay.claims:claim",
    "after:admin.relay.claims:claim#3",  # claimed, so not due for a while
    "before:admin.outbox.dispatch:send",
    "after:admin.outbox.dispatch:send",  # confirmed, not noted
    "before:contract.publisher:Publisher.publish",
    "after:contract.publisher:Publisher.publish",
)
# The relay while it proves, A6.
RELAY_PROVES = (
    "before:admin.outbox.client_gateway:ClientGateway.replica_states",
    "after:admin.outbox.client_gateway:ClientGateway.replica_states",  # the Client has answered
    "before:admin.relay.verify:_mark_verified",
    "after:admin.relay.verify:_mark_verified",  # marked, not committed
    "after:admin.relay.verify:verify",
)
# A child of the Client's worker: A4, A5, L2, L4…L6. It counts (L3) only what the web process left, so seldom.
WORKER = (
    "before:contract.messages:ProductChanged.decode",
    "after:contract.messages:ProductChanged.decode",
    "before:client.replica.apply:apply",
    "before:client.replica.apply:write",
    "after:client.replica.apply:write",  # written, not acknowledged
    "after:client.replica.apply:apply",
    "before:client.admin_gateway:AdminGateway.send_likes",
    "after:client.admin_gateway:AdminGateway.send_likes",  # Admin has counted
    "before:client.likes.apply_outcomes:settle",
    "after:client.likes.apply_outcomes:settle",  # settled, not acknowledged
)
# The Client's web process: L1, L3.
CLIENT = (
    "before:client.likes.service:_toggle",
    "after:client.likes.service:_toggle",  # written, nobody told
    "before:client.likes.count:_apply",
    "after:client.likes.count:_apply",  # in the transaction, not committed
    "after:client.likes.count:_count_batch",
    "before:contract.publisher:Publisher.publish",
    "after:contract.publisher:Publisher.publish",
    "after:client.replica.state:replica_states",  # A6, not answered
)
