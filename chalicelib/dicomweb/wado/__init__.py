"""WADO-RS (PS3.18 §10.4): the static objects and documents of instances and studies, and requested representations.

Deriving objects and documents belongs here; writing them belongs in ``services``. Do not import ``qido`` or
``stow``. Only ``static_instance`` may import ``instance``, and with it pydicom.
"""
