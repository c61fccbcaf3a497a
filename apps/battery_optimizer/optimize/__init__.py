"""Pure: from an outlook to a plan with its reasons."""
