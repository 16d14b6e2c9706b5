"""Names of tasks, queues, exchanges and lanes. Imports nothing, so that every module may import it."""

SYNC_PRODUCT = "tasks.sync_product"
SYNC_PRODUCTS = "tasks.sync_products"
RESYNC_PRODUCT = "tasks.resync_product"
RESYNC_PRODUCTS = "tasks.resync_products"
FORWARD_LIKES = "tasks.forward_likes"
RETRY_LIKES = "tasks.retry_likes"
COLLECT_DEAD_LETTERS = "tasks.collect_dead_letters"
COPY_IMAGES = "tasks.copy_images"

EXCHANGE = "lockstep"
DEAD_LETTER_EXCHANGE = "lockstep.dead"

# Queues are named by their consumer.
QUEUE_PRODUCTS = "client.products"
QUEUE_PRODUCTS_BULK = "client.products.bulk"
QUEUE_LIKES = "client.likes"
QUEUE_MAINTENANCE = "client.maintenance"
QUEUE_DEAD = "client.dead"

# Each lane has a queue and a limit of sent, unverified rows of its own, so an editor never waits behind an import.
INTERACTIVE = "interactive"
BULK = "bulk"
LANE_QUEUES = {INTERACTIVE: QUEUE_PRODUCTS, BULK: QUEUE_PRODUCTS_BULK}

REPORT_TIME = "report_time"  # a control command that workers answer (celery -A tasks inspect report_time)
