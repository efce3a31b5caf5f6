"""The version of this package, alone in a file, so that a build can read only it."""

__version__ = "0.1.0"
