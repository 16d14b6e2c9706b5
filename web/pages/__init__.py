"""Layout, assets and forms of the pages of both web services."""
