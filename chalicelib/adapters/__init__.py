"""The adapters that implement the ports, one folder for each technology."""
