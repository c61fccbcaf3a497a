"""What the sensors in Home Assistant show."""
