"""The outbox: pending products, the eager publisher, the change log, calls to the Client."""
