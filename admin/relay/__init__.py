"""The relay: claims due rows, verifies what arrived, sends the rest."""
