"""Scripts that TypeScript runs by path."""
