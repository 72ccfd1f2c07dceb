"""The operations that TypeScript calls."""
