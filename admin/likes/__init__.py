"""Admin's copy of the likes, and their counts."""
