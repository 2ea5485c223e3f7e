"""Exports a trained generator as a file, and checks that file."""
