"""What both Flask apps share; it knows neither of them."""
