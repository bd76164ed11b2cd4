"""All SQL on experiments."""
