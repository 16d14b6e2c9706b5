"""What staff see: the state of the replication, the catalogue, and what to do about either."""
