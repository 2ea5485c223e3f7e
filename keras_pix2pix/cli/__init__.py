"""The command line: no other room knows its flags."""
