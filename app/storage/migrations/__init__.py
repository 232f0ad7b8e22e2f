"""The steps that migrate a database to this version."""
