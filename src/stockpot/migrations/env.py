"""Runs a migration on the connection that `stockpot.core.db.migrate` gives. Knows no table."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, render_as_batch=True, transaction_per_migration=False)
context.run_migrations()
