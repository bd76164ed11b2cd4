"""All SQL of the catalog, a module per noun. Functions work inside their caller's transaction."""
