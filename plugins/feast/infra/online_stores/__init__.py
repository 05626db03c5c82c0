"""A step in Feast's import paths; holds nothing itself."""
