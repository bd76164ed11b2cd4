"""Upstreams: one file per wire format, one row per vendor. Knows bodies and paths, no sockets.

A wire format turns an ask into the bytes for an upstream and reads its answer; the gateway moves
the bytes. Adding a vendor that speaks a known wire is a row in `providers.toml`; adding a wire is a
file that implements `Wire` (`base.py`) and an entry point in the group `stockpot.wires`.
"""

from stockpot.providers.aws_roles import PARTS as ROLE_PARTS
from stockpot.providers.aws_roles import VARIABLES as ROLE_VARIABLES
from stockpot.providers.aws_roles import AwsRoles, RoleFault
from stockpot.providers.base import (
    UNREADABLE,
    Answer,
    Ask,
    BadRequest,
    CannotExpress,
    Dialect,
    Endpoint,
    Outgoing,
    UpstreamTarget,
    Wire,
    not_json,
)
from stockpot.providers.canon import Loss
from stockpot.providers.openai import OpenAIDialect
from stockpot.providers.retell import retold
from stockpot.providers.sse import ServerEvent, Splitter
from stockpot.providers.vendors import Vendor, vendors
from stockpot.providers.wires import dialects, wire_named, wire_names

__all__ = [
    "ROLE_PARTS",
    "ROLE_VARIABLES",
    "UNREADABLE",
    "Answer",
    "Ask",
    "AwsRoles",
    "BadRequest",
    "CannotExpress",
    "Dialect",
    "Endpoint",
    "Loss",
    "OpenAIDialect",
    "Outgoing",
    "RoleFault",
    "ServerEvent",
    "Splitter",
    "UpstreamTarget",
    "Vendor",
    "Wire",
    "dialects",
    "not_json",
    "prompted",
    "retold",
    "vendors",
    "wire_named",
    "wire_names",
]
