"""What .ci/run needs to know of README.md and of trial's output, and its tests."""
