"""The verbs of monitors: define, watch, look back, tell, silence."""
