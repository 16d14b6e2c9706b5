"""Shoppers' accounts."""
