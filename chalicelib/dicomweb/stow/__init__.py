"""STOW-RS: a store request and its answer as values."""
