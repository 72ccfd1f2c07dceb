"""The protocol with TypeScript: messages, their schema, the event channel and handles."""
