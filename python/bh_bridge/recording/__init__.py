"""What a run records: history, quantities, events and step traces."""
