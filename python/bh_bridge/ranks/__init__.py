"""Trainings in several processes: each computes its part of every batch, and the gradients are summed.

Rank 0, the process that Node drives, records, reports, decides and writes checkpoints. torchrun starts the others,
which compute the same steps and follow the decisions of rank 0.
"""
