"""Deep active learning on images: the engine, as a library and a command line."""

__version__ = "0.1.0"
