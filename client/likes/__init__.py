"""Shoppers' likes: owned here, counted here, told to Admin."""
