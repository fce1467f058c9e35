"""Run by Alembic, with the connection and in the transaction of :mod:`vedette.ledger.migrate`."""

from alembic import context

from vedette.ledger.schema import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
