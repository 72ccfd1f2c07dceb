"""The Python side of bh-bridge: builds the model, trains it with Hugging Face Trainer, and records."""

import os

PROTOCOL_VERSION = 1

NODE_PID = os.getppid()  # read at once, because the parent changes when Node ends
