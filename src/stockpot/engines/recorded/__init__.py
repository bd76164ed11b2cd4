"""Recorded models: a small server that answers what a model once answered, as if it were there.

Run it as `python -m stockpot.engines.recorded --port N`. It serves every recording under
`STOCKPOT_HOME/recorded`, each under its own name, with the tokens, the time and the finish reason
that were recorded. Recordings that come and go while it runs are noticed.
"""
