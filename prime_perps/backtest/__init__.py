"""The margin formula against real days: random books of real stocks, and whether a day cost more than it asks."""
