"""What could have been done better, and how good the forecasts were."""
