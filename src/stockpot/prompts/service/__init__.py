"""The verbs of prompts."""
