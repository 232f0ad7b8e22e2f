"""Generated requests: coherent networks, values of the schema and damage to both, and what every answer has to be."""
