"""Commands of the Client."""
