"""`simulate compare`: what another tariff, battery, roof or policy would have made of it."""
