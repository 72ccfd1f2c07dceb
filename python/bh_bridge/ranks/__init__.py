"""One training in several processes: each computes its part of every batch, and the gradients are added up.

Rank 0 is the process that Node drives: it alone records, tells, decides and makes checkpoints. torchrun starts the
others, which make the same steps and do what rank 0 says.
"""
