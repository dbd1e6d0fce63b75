"""Four crashes on chain: two hundred accounts, makers, liquidators and insurance live through real days."""
