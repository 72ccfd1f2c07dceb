"""Workers are spawned, as on macOS and Windows, in place of forked."""

import multiprocessing

multiprocessing.set_start_method("spawn", force=True)
