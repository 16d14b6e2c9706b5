"""The catalogue: products, their images, search, import and export."""
