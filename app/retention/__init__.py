"""Retention: what is removed after some time, by servers periodically and by `gradd prune`."""
