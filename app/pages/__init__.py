"""Pages and routes about the server itself: its description, health, documentation, kinds of problems and playground."""
