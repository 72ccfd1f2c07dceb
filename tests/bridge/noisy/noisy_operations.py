"""The real training, with noise around it and NumPy's scalars in its logs."""

import os
import warnings

import numpy as np
from bh_bridge.engines.run_trainer import RunTrainer
from bh_bridge.operations import trainer_operations
from tqdm import tqdm


def train(request):
    """Train as always, and talk meanwhile."""
    plain_log = RunTrainer.log

    def log(self, logs, *args, **options):
        print("a print at a log")
        os.write(1, b"bytes at a log\n")
        warnings.warn("a warning", stacklevel=1)
        for _ in tqdm(range(3)):
            pass
        extra = {"scalar": np.float32(0.5), "count": np.int64(7), "infinite": np.float64("inf"), "array": np.ones(3)}
        return plain_log(self, {**logs, **extra}, *args, **options)

    RunTrainer.log = log
    print("{}")
    return trainer_operations.train(request)
