"""The test model: a small server whose answers are a function of the question.

Run it as `python -m stockpot.engines.echo --name echo --port N`. It needs no model file and no
network, so an instance can always answer. Tokens are words: runs of characters between white space.
"""
