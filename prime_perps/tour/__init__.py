"""A tour of trading with an issuer: stock on margin, a hedge, depth out of little capital, a liquidation."""
