"""The verbs of the catalog, a module per noun. Each change is audited, then published."""
