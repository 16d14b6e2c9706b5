"""What every command shares: lazy commands, exit codes, output to a terminal."""
