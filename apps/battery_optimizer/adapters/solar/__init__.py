"""Who forecasts the sun."""
