"""What Home Assistant shows."""
