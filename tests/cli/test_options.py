import click
import pytest

from outdialer.cli.options import RequestRate


@pytest.mark.parametrize(
    ("text", "rate"), [("100:200", (100, 200)), ("100", (100, 200)), ("0", (0, 1)), ("0.2", (0.2, 1)), ("5:1", (5, 1))]
)
def test_request_rates(text: str, rate: tuple[float, int]) -> None:
    assert RequestRate().convert(text, None, None) == rate


@pytest.mark.parametrize("text", ["", "x", "1:", "1:0", "-1", "1:-1", "nan", "inf", "1:2:3", "1e9"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(click.BadParameter, match="100:200"):
        RequestRate().convert(text, None, None)
