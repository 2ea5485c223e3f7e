"""A trained generator at work: equal, faster clones; stored values in, stored values out; tiles."""
