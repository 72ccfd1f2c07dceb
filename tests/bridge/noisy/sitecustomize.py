"""A Python that talks: on stdout and stderr, through C and through Python, while a model is trained."""

try:
    from bh_bridge import entry
except ImportError:  # an interpreter that is only asked for its version
    pass
else:
    entry.OPERATIONS["trainer.train"] = "noisy_operations:train"
