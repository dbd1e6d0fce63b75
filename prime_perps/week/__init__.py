"""A long weekend on a chain of one's own: Thursday to Tuesday over 72 hours without an exchange."""
