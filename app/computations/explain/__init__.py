"""/v1/explain: derivations as JSON, as a page and as Markdown."""
