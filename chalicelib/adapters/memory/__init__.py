"""The stores and the index in memory: fakes for tests, and the measure that the real ones are held against."""
