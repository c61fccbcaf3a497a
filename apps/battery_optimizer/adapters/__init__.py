"""I/O, one outside system per file. Each fulfils a port of `ports` structurally."""
