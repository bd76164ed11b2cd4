"""Samples as Prometheus reads them."""

from __future__ import annotations

from stockpot.core.prometheus import exposition, label


def test_each_family_is_declared_once_with_its_type() -> None:
    text = exposition(
        {
            'stockpot_calls_total{route="a"}': 3,
            'd_seconds_bucket{le="0.1"}': 1,
            'stockpot_calls_total{route="b"}': 4.5,
            'd_seconds_bucket{le="+Inf"}': 2,
            "d_seconds_count": 2,
            "d_seconds_sum": 0.25,
            "stockpot_workers": 1,
            "words_count": 9,
        }
    )
    assert text.splitlines() == [
        "# TYPE stockpot_calls_total counter",
        'stockpot_calls_total{route="a"} 3',
        'stockpot_calls_total{route="b"} 4.5',
        "# TYPE d_seconds histogram",
        'd_seconds_bucket{le="0.1"} 1',
        'd_seconds_bucket{le="+Inf"} 2',
        "d_seconds_count 2",
        "d_seconds_sum 0.25",
        "# TYPE stockpot_workers gauge",
        "stockpot_workers 1",
        "# TYPE words_count gauge",
        "words_count 9",
    ]
    assert text.endswith("\n")


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    assert label('a"b\\c\nd') == '"a\\"b\\\\c\\nd"'
