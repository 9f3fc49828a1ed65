"""The use cases, one in each module. They depend on the ports and on the pure core, and on no technology."""
