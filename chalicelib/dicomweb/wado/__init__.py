"""WADO-RS: what the static bucket holds of an instance and of a study, and representations as they are asked for."""
