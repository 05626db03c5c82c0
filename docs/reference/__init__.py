"""Parts of the pages that are made from the code, a module for each subject; docs/generate.py writes them."""
