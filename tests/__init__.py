"""The tests of harakatw; the folders mirror those of the package."""
