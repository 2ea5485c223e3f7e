"""(source, target) pairs: found, matched, decoded, drawn."""
