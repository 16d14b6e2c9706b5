"""How both web services run. Threads, because they mostly wait for their database."""

worker_class = "gthread"
workers = 1  # more with WEB_CONCURRENCY; SQLite has one writer anyway
threads = 8
timeout = 30  # seconds without a sign of life before a worker is replaced
graceful_timeout = 20
keepalive = 5
limit_request_line = 4094
limit_request_fields = 50
limit_request_field_size = 8190
accesslog = "-"
access_log_format = "%(m)s %(U)s %(s)s %(M)sms"  # no query strings: they may hold what nobody should log
control_socket_disable = True
