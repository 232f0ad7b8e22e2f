"""One module of tables for each kind of thing that is kept."""
