"""One step of a training, whichever engine computes it."""
