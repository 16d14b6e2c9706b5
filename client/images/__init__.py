"""The Client's own copies of uploaded images: the shop shows them whatever becomes of Admin."""
