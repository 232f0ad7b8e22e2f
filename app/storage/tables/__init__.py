"""The tables of models, datasets and jobs."""
