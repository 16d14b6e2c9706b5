"""Getting every change to the Client: courier (A2), relay (A3), verify (A6)."""
