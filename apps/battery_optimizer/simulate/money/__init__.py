"""What each day cost, and would have cost otherwise."""
