"""STOW-RS (PS3.18 §10.5): the headers of a store request and the answer to it, as values.

Reading the body is up to the service that receives it. Do not import ``qido``, ``wado`` or ``instance``, nor
pydicom: a part is known here by its UIDs and its outcome only.
"""
