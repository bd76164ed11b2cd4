"""The verbs of right-sizing: running, proposing, applying, counting what was saved."""
