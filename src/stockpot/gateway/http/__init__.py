"""The HTTP/1.1 faces of the data plane: `server` for applications, `upstream` for providers.

Both are raw asyncio protocols with callbacks, so that a request passes through without a task, a
queue or a future of its own. They know HTTP and sockets; they know no key, no model, no dialect.
Import the two submodules; this front door imports nothing, so that it costs nothing.
"""
