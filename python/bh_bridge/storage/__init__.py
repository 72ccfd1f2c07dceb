"""Files that must survive a crash: checkpoints, saved models, trainer state."""
