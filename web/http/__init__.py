"""REST, problems, cursors, uploads and the server that both web services use."""
