"""Prime Perps: the library that scripts, keepers and tests share."""
