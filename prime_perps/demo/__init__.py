"""Autumn 2008 on a chain of one's own: real prices, real programs, four customers, one of them over-extended."""
