"""Values between processes: they arrive as they were, and nothing else comes in."""

import io
import math
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from colorize import wire
from colorize.wire import Unknown, WireError

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats() | st.text(),
    lambda parts: st.lists(parts) | st.tuples(parts, parts) | st.dictionaries(st.text(), parts),
    max_leaves=12,
)


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return a == b


@given(plain)
@settings(deadline=None, max_examples=60)
def test_plain_values_arrive_as_they_were(value):
    assert same(wire.unpack(wire.pack(value)), value)


@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.uint8, torch.int64, torch.float16, torch.float32, torch.float64]
)
@pytest.mark.parametrize("shape", [(), (0,), (3, 1, 2)])
def test_tensors_and_arrays_arrive_as_they_were(dtype, shape):
    tensor = (torch.rand(shape) * 9).to(dtype)
    got, (array, turned) = wire.unpack(
        wire.pack([tensor, (tensor.numpy(), tensor.expand(2, *shape).transpose(0, -1))])
    )
    assert got.dtype == dtype and torch.equal(got, tensor)
    assert isinstance(array, np.ndarray) and np.array_equal(array, tensor.numpy())
    assert torch.equal(turned, tensor.expand(2, *shape).transpose(0, -1))


def test_what_does_not_travel_is_described():
    class Rude:
        def __repr__(self):
            raise RuntimeError

    got = wire.unpack(wire.pack((math.sqrt, Rude(), torch.tensor([1j]), np.float32(0.5), {1: 2})))
    assert [type(value) for value in got] == [Unknown, Unknown, Unknown, float, Unknown]
    assert repr(got[0]) == "<built-in function sqrt> (builtin_function_or_method)"
    assert repr(got[1]) == "Rude"


@given(st.binary(max_size=80))
@settings(deadline=None, max_examples=200)
def test_garbage_is_refused(data):
    with pytest.raises((WireError, EOFError)):
        wire.read(io.BytesIO(data))


@given(st.integers(0, 400), st.integers(1, 255))
@settings(deadline=None, max_examples=100)
def test_damaged_frames_are_refused_or_are_values(place, flip):
    frame = bytearray(wire.pack({"a": torch.arange(6.0), "b": [1, "two", None]}))
    frame[place % len(frame)] ^= flip
    try:
        wire.read(io.BytesIO(bytes(frame)))
    except (WireError, EOFError):
        return


def test_a_frame_too_large_is_refused_before_it_is_read():
    with pytest.raises(WireError, match=r"a frame of 1,099,511,627,776 bytes; 268,435,456 are the most"):
        wire.read(io.BytesIO(struct.pack(">QQ", 2**40, 5)))


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, np.float64(0.1), np.float64(math.inf)])
def test_floats_that_json_has_no_word_for(value):
    found = wire.unpack(wire.pack({"x": [value]}))["x"][0]
    assert type(found) is float and same(found, float(value))
