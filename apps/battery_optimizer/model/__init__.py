"""Pure values: the grid of slots, tariffs, the house, outlooks, plans, decisions."""
