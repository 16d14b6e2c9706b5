"""Admin's own copy of the like set and its counts (L5)."""
