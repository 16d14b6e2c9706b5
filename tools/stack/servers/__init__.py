"""Private instances of the servers that Lockstep needs: own port, own folder, own password, loopback only."""
