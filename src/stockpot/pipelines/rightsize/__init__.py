"""Which is the cheapest model that still passes?

A run asks candidates and a baseline the same questions, out of logged traffic or a data set, within
a budget, scores the answers with a suite, and says of each candidate whether it is not worse than
the baseline by more than a margin. What passes becomes a plan for the alias, then an experiment,
then a report of what it saved. Knows evaluations, prices and experiments by their front doors.
"""
