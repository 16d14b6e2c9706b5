"""Layout, assets and forms of the pages that both web services use."""
