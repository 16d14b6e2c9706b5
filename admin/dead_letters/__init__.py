"""The Client's dead letters, as staff see and settle them. Admin keeps nothing of them."""
