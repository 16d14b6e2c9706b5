"""REST, problems, cursors, uploads and the HTTP server of both web services."""
