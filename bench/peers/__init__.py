"""Services that gradd is measured beside."""
