"""Messages that no worker could process: collected from the broker, shown, resynced, discarded."""
