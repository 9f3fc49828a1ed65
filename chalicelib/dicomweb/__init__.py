"""The pure core: DICOM and DICOMweb as functions from values to values.

This folder holds what its subfolders share of the standard: attributes, addresses, media types, encodings.
Code for one Part 10 file, for search, store or retrieve belongs in ``instance``, ``qido``, ``stow`` or ``wado``.

Do not import anything that reaches the network, a database or the environment (boto3, pymysql, os, socket),
nor a module of ``services`` or ``adapters``. The modules directly in this folder import none of the four
folders, and pydicom only inside a function, since every process loads them, the search function included.
"""
