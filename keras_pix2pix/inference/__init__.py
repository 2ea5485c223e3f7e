"""Running a trained generator: equivalent, faster clones; from stored values to stored values; in tiles."""
