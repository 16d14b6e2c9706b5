"""Commands of Admin."""
