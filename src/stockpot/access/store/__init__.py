"""All SQL of access, a module for each kind of record.

Every function takes a connection inside somebody's transaction, so that a change and its audit
entry are committed together or not at all. Secrets arrive here as SHA-256 digests only.
"""
