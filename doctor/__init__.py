"""Is it alive (``lockstep health``), and is it set up right (``lockstep doctor``)? For people and supervisors."""
