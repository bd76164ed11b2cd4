"""Measuring the gateway on loopback: a mock upstream, a load, figures. Knows no production data.

`stockpot bench gateway` starts a real worker, shipper and ingest in a folder of their own and
prints what it measured, so that the published figures can be measured again anywhere.
"""
