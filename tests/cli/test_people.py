"""Reading a list: what is accepted, and what is refused with which words."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.cli.people import ListError, People, describe_refusals, read_people


def _read(folder: Path, text: str | bytes) -> People:
    path = folder / "people.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_people(path)


@pytest.mark.parametrize(
    "text",
    [
        "name,destination_0\nAda,+12025550123\n",
        "\ufeffname,destination_0\nAda,+12025550123\n",
        "name;destination_0\nAda;+12025550123\n",
        "name,destination_0\r\nAda,+12025550123\r\n",
        "name,destination_0\n\n  ,  \nAda,+12025550123\n\n",
        "Name , DESTINATION_0\nAda, +1 (202) 555-0123 \n",
        'name,destination_0\n"Ada",+12025550123',
        "destination_0,name\n+12025550123,Ada\n",
    ],
    ids=["plain", "BOM", "semicolons", "CRLF", "blank lines", "case and spaces", "quotes, no last newline", "order"],
)
def test_spellings_of_the_same_list(tmp_path: Path, text: str) -> None:
    people = _read(tmp_path, text)
    assert people.refusals == ()
    assert [(row.name, row.destinations[0]) for row in people.rows] == [("Ada", "+12025550123")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("name,destination_0\n", "no rows"),
        ("Ada,+12025550123\n", "header"),
        ("name,phone,destination_0\nAda,1,+12025550123\n", "'phone'"),
        ("name,name,destination_0\nA,B,+12025550123\n", "twice"),
        ("name,detail\nA,B\n", "destination_0"),
        (b"name,destination_0\nJ\xfcrgen,+12025550123\n", "line 2 is not UTF-8"),
        ("name,destination_0\nA\0,+12025550123\n", "NUL"),
        ('name,destination_0\n"Ada,+12025550123\n', "not CSV"),
    ],
)
def test_files_that_are_no_lists(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(ListError, match=words):
        _read(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=r"gone\.csv"):
        read_people(tmp_path / "gone.csv")


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        ("Ada,911,", "destination_0", "not a phone number"),
        ("Ada,+19005550123,", "destination_0", "premium"),
        ("Ada,sip:112@127.0.0.1,", "destination_0", "emergency"),
        ("Ada,,", "destination_0", "no destination"),
        ("Ada,+12025550199,+12025550199", "destination_1", "twice in this row"),
        ("Ada,+12025550123,", "destination_0", "already in line 2"),
        ("Ada,sip:+12025550123@127.0.0.1,", "destination_0", "already in line 2"),
        ("Ada,+12025550199,,x", "row", "4 cells"),
        ("A" * 256 + ",+12025550199,", "name", "255"),
    ],
)
def test_rows_that_are_refused(tmp_path: Path, row: str, field: str, words: str) -> None:
    people = _read(tmp_path, f"name,destination_0,destination_1\nGood,+12025550123,\n{row}\n")
    assert len(people.rows) == 1
    (refused,) = people.refusals
    assert (refused.line, refused.field) == (3, field)
    assert words in refused.reason
    assert "line 3" in describe_refusals(people)


def test_a_refused_row_does_not_reserve_its_numbers(tmp_path: Path) -> None:
    people = _read(tmp_path, "name,destination_0,destination_1\nA,+12025550123,bad\nB,+12025550123,\n")
    assert [row.name for row in people.rows] == ["B"]


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_list_error(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(b"name,destination_0\n" + raw)
    with contextlib.suppress(ListError):
        read_people(path)
