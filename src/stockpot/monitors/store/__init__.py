"""All SQL of monitors. Functions work inside their caller's transaction."""
