"""The Python side of bh-bridge: builds the model, trains it with Hugging Face Trainer, and records."""

PROTOCOL_VERSION = 1
