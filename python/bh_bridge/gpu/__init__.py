"""What only a GPU needs: CUDA graphs and batched runs."""
