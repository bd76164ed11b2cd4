"""All SQL of prompts. Each function works in its caller's transaction."""
