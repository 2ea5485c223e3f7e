"""The command line: arguments live and die here."""
