"""Pure: from a plan and what the house does now to one command."""
