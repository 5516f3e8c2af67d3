"""The terminal dashboard: an HTTP client of the appliance, with the keys that k9s made familiar.

It knows declarations, REST and the event stream, and nothing of what is behind them. `app` puts the screens
together; what they show is decided by pure functions in `rows`, `summary` and `bars`.
"""
