"""Side by side with Feast and with a bare Sanic handler: `python -m benchmarks`, printed as ratios."""
