"""The outbox: pending products, the eager publisher, the change log, and calls to the Client."""
