"""How well the load and the sun are forecast, beside other ways to do it; nothing here is live."""
