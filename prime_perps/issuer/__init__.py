"""The link to an issuer of tokenized stocks: quotes it signs, and a whole stand-in for it on chains of one's own."""
