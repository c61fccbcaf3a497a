"""The Octopus Energy API, and its integration in Home Assistant."""
