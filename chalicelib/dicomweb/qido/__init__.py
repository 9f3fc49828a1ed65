"""QIDO-RS (PS3.18 §10.6): a search as values, from the query string to the body of the answer.

Parsing and checking of requests, kinds of matching, and composition of answers belong here. How an index finds
the hits belongs in ``adapters``. Do not import ``instance``, ``stow`` or ``wado``, nor pydicom at the top of a
module: the search function starts without it.
"""
