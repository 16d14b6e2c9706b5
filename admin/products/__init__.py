"""The catalogue: staff create, read, update and delete products."""
