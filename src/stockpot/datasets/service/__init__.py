"""The verbs of data sets and annotation."""
