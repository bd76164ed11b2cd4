"""The verbs of feedback: giving it, summing it up, and the keys that browsers show."""
