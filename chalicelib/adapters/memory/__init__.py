"""All ports in memory: fakes for tests. Contract tests hold the real adapters to the same behaviour."""
