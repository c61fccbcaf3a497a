"""The simulated home: inverter, battery and house, as Home Assistant shows them."""
