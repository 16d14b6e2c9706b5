"""REST API of the Client."""
