"""Shoppers' likes: stored and counted here, forwarded to Admin."""
