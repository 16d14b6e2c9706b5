"""Status, lag, queue depths and metrics, computed when they are requested."""
