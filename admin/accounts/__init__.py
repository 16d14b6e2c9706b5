"""Staff who may change the catalogue."""
