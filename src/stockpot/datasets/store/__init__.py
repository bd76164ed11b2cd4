"""All SQL on data sets and annotation queues."""
