"""Imports in the background: uploaded by staff, carried out by the relays, resumed by whichever lives."""
