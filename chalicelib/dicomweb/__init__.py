"""The pure core: DICOM and DICOMweb as values in, values out; no network, no files, no environment."""
