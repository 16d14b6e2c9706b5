"""REST API of Admin."""
