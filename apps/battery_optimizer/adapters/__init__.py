"""I/O, one outside system per folder or file. Each fulfils a port of `ports` structurally."""
