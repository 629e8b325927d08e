"""A report as one HTML file: verdicts in words, figures that zoom, tables, and how to repeat it.

The file needs no network and can reach none: its content security policy allows the two scripts that are in
it, by their hashes, and nothing else. Every name in it was escaped by the template engine.
"""
