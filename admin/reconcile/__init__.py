"""Is the copy what it should be? Comparing it with the catalogue by content, repairing it, building it anew."""
