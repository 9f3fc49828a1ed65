"""The use cases, one a module, over the ports; they know no technology."""
