"""Autumn 2008 on a chain of one's own: real prices, real programs, five customers, one of them over-extended."""
