"""One DICOM instance: its Part 10 file, what is in it, and its data set in JSON. Imports pydicom; search must not."""
