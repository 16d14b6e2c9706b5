"""The servers Lockstep needs, each a private instance: own port, own folder, own password, loopback only."""
