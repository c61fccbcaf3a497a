"""A Fox ESS inverter through Home Assistant, by either integration."""
