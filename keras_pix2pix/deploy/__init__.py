"""A trained generator leaves the house."""
