"""Unit rates and standing charges as the cycle sees them, and who else makes rates."""
