"""The archive's one library: the functions, the STOW service and the local harness import it."""
