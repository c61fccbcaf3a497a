"""Pure: what load, sun and rates will be."""
