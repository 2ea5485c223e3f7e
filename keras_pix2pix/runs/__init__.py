"""One run folder: its files, configuration, data and callbacks."""
