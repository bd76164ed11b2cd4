"""Rails at work in the gateway: which texts of a call are looked at, when, and what follows.

    table     the snapshot's part, compiled
    asked     texts of a request, in every dialect      said     texts of a whole answer
    events    texts of a stream's events                editor   a stream on its way out
    stage     the pipeline's stage                      ledger   what rails said of one call
    guard     one call under a policy: its answer, held, edited, refused, asked for again
    whole     answers that are there as a whole           refusing  what a client is told
    turns     which call's texts are looked at next
    process   rails that take long, in a process of their own (`child`)
    judge     a chat model as a rail

Knows dialects and calls; what a rail finds and what a policy decides is `stockpot.rails`. Loaded by
the first snapshot that holds a policy: a worker without one never sees it.
"""
