"""Model classes, their construction and their initial state."""
