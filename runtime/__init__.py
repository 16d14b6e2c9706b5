"""What every process needs: settings, logs, metrics, tracing, heartbeats, the command line. Does not import Flask."""
