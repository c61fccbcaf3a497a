"""Recorded days, a simulated house, baseline policies, the backtest and its command line."""
