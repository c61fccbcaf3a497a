"""Days to be played: recorded, or made into others."""
