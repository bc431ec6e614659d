"""Backtest: recorded traffic through a policy, with the very parts that decide live."""
