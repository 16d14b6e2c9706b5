"""Is the copy what it should be? Comparing it with the catalogue by content, mending it, building it anew."""
