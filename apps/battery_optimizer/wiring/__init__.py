"""Makes a running house of settings and adapters, and tells the world of it."""
