"""Programs that operators run. None of them imports ape: they start at once and need only a node."""
