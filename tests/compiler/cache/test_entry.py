"""The format of a file: what was written is read, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pullback.compiler.cache.entry import START, Label, described, pack, unpack

KEY = "ab" * 32

labels = st.builds(
    Label,
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    seconds=st.floats(0, 1e6),
    created=st.floats(0, 1e10),
)


@given(st.binary(max_size=200), labels)
def test_what_was_packed_is_unpacked(code, label):
    content = pack(KEY, code, label)
    assert unpack(KEY, content) == code
    assert unpack("cd" * 32, content) is None
    assert described(content[:START]) == Label(label.name[:256], label.seconds, label.created)


def test_a_file_with_any_byte_changed_is_no_entry():
    content = pack(KEY, b"machine code", Label("loss", 0.1, 2.0))
    for place in range(len(content)):
        for flip in (0x01, 0x80, 0xFF):
            damaged = bytearray(content)
            damaged[place] ^= flip
            assert unpack(KEY, bytes(damaged)) is None, place
            described(bytes(damaged))


def test_a_file_of_any_other_length_is_no_entry():
    content = pack(KEY, b"machine code", Label("loss", 0.1, 2.0))
    for length in range(len(content)):
        assert unpack(KEY, content[:length]) is None, length
        described(content[:length])
    assert unpack(KEY, content + b"\0") is None
    assert unpack(KEY, content + content) is None


@given(st.binary(max_size=300))
def test_other_content_is_no_entry(content):
    assert unpack(KEY, content) is None
    assert described(content) is None


def test_a_name_that_cannot_be_encoded_is_kept_with_a_mark():
    content = pack(KEY, b"", Label("a\ud800b", 0.0, 0.0))
    assert unpack(KEY, content) == b""
    assert described(content) == Label("a?b", 0.0, 0.0)
