"""Where each process is killed: between each pair of steps of A1…A6 and L1…L6."""

# Admin's web process: A1, A2.
ADMIN = (
    "before:admin.replication.outbox:record",
    "after:admin.replication.outbox:record",  # all written, nothing committed
    "before:admin.replication.courier:offer",  # committed, nobody told
    "after:admin.replication.courier:offer",
    "before:tasks.publisher:Publisher.publish",  # A2 has it in hand
    "after:tasks.publisher:Publisher.publish",
    "before:admin.likes.service:_store",  # L5
    "after:admin.likes.service:_store",  # written, not committed
    "after:admin.likes.service:take",  # committed, not answered
)
# The relay while it sends, A3: reached soon only where nothing arrives by itself.
RELAY_SENDS = (
    "before:admin.replication.claims:claim",
    "after:admin.replication.claims:claim#3",  # claimed, so not due for a while
    "before:admin.replication.dispatch:send",
    "after:admin.replication.dispatch:send",  # confirmed, not noted
    "before:tasks.publisher:Publisher.publish",
    "after:tasks.publisher:Publisher.publish",
)
# The relay while it proves, A6.
RELAY_PROVES = (
    "before:admin.replication.client_gateway:ClientGateway.held",
    "after:admin.replication.client_gateway:ClientGateway.held",  # the Client has answered
    "before:admin.replication.verify:_prove",
    "after:admin.replication.verify:_prove",  # marked, not committed
    "after:admin.replication.verify:verify",
)
# A child of the Client's worker: A4, A5, L2, L4…L6. It counts (L3) only what the web process left, so seldom.
WORKER = (
    "before:tasks.messages:ProductChanged.decode",
    "after:tasks.messages:ProductChanged.decode",
    "before:client.products.replicate:apply",
    "before:client.products.replicate:write",
    "after:client.products.replicate:write",  # written, not acknowledged
    "after:client.products.replicate:apply",
    "before:client.admin_gateway:AdminGateway.send_likes",
    "after:client.admin_gateway:AdminGateway.send_likes",  # Admin has counted
    "before:client.likes.settle:settle",
    "after:client.likes.settle:settle",  # settled, not acknowledged
)
# The Client's web process: L1, L3.
CLIENT = (
    "before:client.likes.service:_toggle",
    "after:client.likes.service:_toggle",  # written, nobody told
    "before:client.likes.count:_apply",
    "after:client.likes.count:_apply",  # in the transaction, not committed
    "after:client.likes.count:_count_batch",
    "before:tasks.publisher:Publisher.publish",
    "after:tasks.publisher:Publisher.publish",
    "after:client.products.held:held",  # A6, not answered
)
