"""Objects of D2D: tracks, seeds, watershed and distance maps."""
