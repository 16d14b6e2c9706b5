"""Celery's settings, each with its reason. docs/architecture.md explains the guarantees that depend on them."""

from contract import names, topology
from contract.config import BrokerSettings
from runtime.clocks import expiry

broker_url = BrokerSettings().url

# --- queues (their arguments, and why: contract/topology.py) --------------------------------------------
task_queues = topology.WORK_QUEUES
task_default_queue = names.QUEUE_PRODUCTS
task_default_exchange = names.EXCHANGE
task_default_exchange_type = "topic"
task_default_routing_key = names.QUEUE_PRODUCTS
task_create_missing_queues = False  # a typo must fail, not create a classic queue
task_routes = {
    names.SYNC_PRODUCT: {"queue": names.QUEUE_PRODUCTS},
    names.SYNC_PRODUCTS: {"queue": names.QUEUE_PRODUCTS},
    names.RESYNC_PRODUCT: {"queue": names.QUEUE_PRODUCTS},
    names.RESYNC_PRODUCTS: {"queue": names.QUEUE_PRODUCTS_BULK},
    names.FORWARD_LIKES: {"queue": names.QUEUE_LIKES},
    names.RETRY_LIKES: {"queue": names.QUEUE_LIKES},
    names.COLLECT_DEAD_LETTERS: {"queue": names.QUEUE_MAINTENANCE},
    names.COPY_IMAGES: {"queue": names.QUEUE_MAINTENANCE},
}

# --- publishing -----------------------------------------------------------------------------------------
broker_connection_timeout = 3  # seconds; a publisher then fails, and the relay tries again
_AMQP_OPTIONS = {
    "confirm_publish": True,  # off by default: silent loss under resource alarms (celery#5410)
    "write_timeout": 5,  # a stopped broker fills the socket; the write must not hang (celery#6911)
    "max_retries": 3,  # connecting otherwise retries for ever (celery#6911)
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.5,
}
TIME_LIMIT = 60  # seconds, hard
_VALKEY_OPTIONS = {
    # A killed worker's tasks stay invisible this long (an hour by default): twice the hard time limit.
    "visibility_timeout": 2 * TIME_LIMIT,
    "socket_connect_timeout": 3,
    "socket_timeout": 10,
    "max_retries": 3,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.5,
}
broker_transport_options = _AMQP_OPTIONS if broker_url.startswith("amqp") else _VALKEY_OPTIONS
# For beat and for tasks that retry, which publish by Celery's pool: without it, a connection that the broker closed is
# reused for ever. contract.publisher does not use it.
task_publish_retry = True
task_publish_retry_policy = {"max_retries": 3, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
accept_content = ["json"]  # never pickle
task_serializer = "json"
result_serializer = "json"
task_ignore_result = True  # no results are read, so no result backend is needed

# --- acknowledging --------------------------------------------------------------------------------------
task_acks_late = True  # ack when done, so that a crash redelivers
task_reject_on_worker_lost = True  # without it a killed child's task is acked
task_acks_on_failure = False  # a final failure becomes a dead letter …
task_acks_on_timeout = False  # … and so does a timeout
task_soft_time_limit = 45  # well below the hard one (celery#9596)
task_time_limit = TIME_LIMIT

# --- worker ---------------------------------------------------------------------------------------------
worker_consumer = "tasks.consumer:Consumer"  # rejects unreadable messages; Celery's own acknowledges and drops them
worker_prefetch_multiplier = 1  # tasks are batches: prefetching more would delay edits during an import
worker_enable_prefetch_count_reduction = False  # stuck at a reduced prefetch after a reconnect (celery#9512)
worker_cancel_long_running_tasks_on_connection_loss = True  # the broker redelivers them, so they must not run twice
# On SIGQUIT (REMAP_SIGTERM): running tasks may end, then prefetched ones return to their queue. The worker acknowledges
# nothing in this time, so a longer one would only keep its messages from the other workers.
worker_soft_shutdown_timeout = 5
worker_max_tasks_per_child = 10_000
worker_hijack_root_logger = False  # logging is set up in contract.task_logs, like everywhere else
broker_connection_retry_on_startup = True  # may start before the broker …
broker_connection_max_retries = None  # … and waits for it without limit (by default, it stops after 100 attempts)
broker_channel_error_retry = True  # a deleted queue otherwise ends the worker

# --- monitoring -------------------------------------------------------------------------------------------
task_send_sent_event = True  # Flower loses the arguments of waiting tasks otherwise (flower#416)
worker_send_task_events = True  # sent in groups, twice a second at most (tasks/consumer.py)

# --- beat: its sweep enqueues pending likes again, even where tasks or queues were lost -----------------
SWEEP_SECONDS = 10  # a like enqueues the task itself; this finds what a crash or a lost queue left
COLLECT_SECONDS = 15  # nothing else reports a dead letter
COPY_SECONDS = 30  # a product with a new image enqueues the task itself; this retries failed copies
beat_schedule = {
    "sweep likes": {
        "task": names.FORWARD_LIKES,
        "schedule": float(SWEEP_SECONDS),
        # An older entry is useless, as the next one does the same.
        "options": {"expires": expiry(2 * SWEEP_SECONDS), "queue": names.QUEUE_LIKES},
    },
    "collect dead letters": {
        "task": names.COLLECT_DEAD_LETTERS,
        "schedule": float(COLLECT_SECONDS),
        "options": {"expires": expiry(2 * COLLECT_SECONDS), "queue": names.QUEUE_MAINTENANCE},
    },
    "copy images": {
        "task": names.COPY_IMAGES,
        "schedule": float(COPY_SECONDS),
        "options": {"expires": expiry(2 * COPY_SECONDS), "queue": names.QUEUE_MAINTENANCE},
    },
}
beat_max_loop_interval = SWEEP_SECONDS
beat_sync_every = (
    1  # the age of the schedule file is beat's heartbeat (lockstep health beat); by default, written every 3 minutes
)
