"""The verbs of access. Each module takes its store and its clock as arguments."""
