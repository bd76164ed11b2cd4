"""The demo: a project with models, a prompt, a data set, traffic and a running experiment.

Everything goes the way that a user would take: the API of the control plane, calls of the gateway,
feedback by the application's key. The dishes, questions and answers are invented and ship with the
package; the three recorded models need neither a key nor a network.
"""
