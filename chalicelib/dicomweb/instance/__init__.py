"""One DICOM instance: reading and checking its Part 10 file, its pixel data, and its data set in JSON.

Code that parses bytes of an instance belongs here. These modules import pydicom, so nothing that search loads
may import them; they import neither ``qido``, ``stow`` nor ``wado``.
"""
