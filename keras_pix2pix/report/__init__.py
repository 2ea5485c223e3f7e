"""A run as one page: its curves, samples and exports."""
