"""The files of an instance: readers, typed options, what is wrong, live reload."""
