"""Corpora, tokenizers and the order of windows."""
