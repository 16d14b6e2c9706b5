"""The lockstep command line, doctor and health."""
