"""The chunked coding, a chunk at a time: the short way reads what the long way does."""

from hypothesis import given
from hypothesis import strategies as st

from stockpot.gateway.http.chunks import ChunkedBody
from stockpot.gateway.http.fields import Malformed

_PIECES = st.sampled_from(
    (
        b"3\r\nabc\r\n",
        b"03\r\nabc\r\n",
        b"3;x=1\r\nabc\r\n",
        b"A\r\n0123456789\r\n",
        b"a\r\n\r\n0\r\n\r\n12\r\n",
        b"3\r\nabcd\r\n",
        b"3\r\nab\r\n",
        b"3\r\nabcxx",
        b"3\r\nab",
        b"c\r\n",
        b"0x3\r\nabc\r\n",
        b"+3\r\nabc\r\n",
        b"3\nabc\r\n",
        b"\r\nabc\r\n",
        b"0\r\n\r\n",
        b"0\r\n",
        b"\r\n",
    )
)


def _read(pieces: list[bytes], *, short: bool) -> tuple[bytes, bool, bool]:
    """The body, whether it is whole, and whether it was refused."""
    body, out = ChunkedBody(), list[bytes]()
    try:
        for piece in pieces:
            if short and (one := body.one(piece)):
                out.append(one)
            else:
                body.feed(piece, out)
            if body.done:
                break
    except Malformed:
        return b"".join(out), body.done, True
    return b"".join(out), body.done, False


@given(st.lists(_PIECES, max_size=8))
def test_the_short_way_reads_what_the_long_way_reads(pieces: list[bytes]) -> None:
    for size in (b"3", b"03", b"a", b"A"):  # so that the short way knows them
        ChunkedBody().feed(size + b"\r\n", [])
    assert _read(pieces, short=True) == _read(pieces, short=False)


def test_the_short_way_is_taken_once_a_size_is_known() -> None:
    body = ChunkedBody()
    body.feed(b"5\r\nhello\r\n", [])
    assert body.one(b"5\r\nworld\r\n") == b"world"
    assert body.one(b"5\r\nwor") == b""
