"""Values between two processes of which one is not trusted: tensors, numbers and text as bytes, read without running code.

A frame is 8 bytes of length, 8 bytes of length of the text, the text (JSON), and the tensors (safetensors).
"""

import json
import math
import struct
from typing import IO, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

LARGEST = 2**28  # bytes of a frame
LONGEST = 300  # characters of the description of a value that cannot travel
HEAD = struct.Struct(">QQ")


class WireError(ValueError):
    """What arrived is no frame, or too large a one."""


class Unknown:
    """Stands for a value of a kind that does not travel, such as a function: its description is all that arrives."""

    def __init__(self, description: str) -> None:
        self.description = description

    def __repr__(self) -> str:
        return self.description


def pack(value: Any) -> bytes:
    """Turn a value into a frame: tensors, arrays, None, bool, int, float, str, and tuples, lists and dictionaries of them.

    Dictionaries have names (str) as keys. Everything else arrives as :class:`Unknown`.
    """
    tensors: dict[str, Tensor] = {}
    text = json.dumps(_plan(value, tensors)).encode()
    data = save(tensors) if tensors else b""
    return HEAD.pack(len(text) + len(data), len(text)) + text + data


def unpack(frame: bytes) -> Any:
    """Turn a frame back into the value. WireError if it is none.

    >>> unpack(pack({"colors": torch.arange(3), "T": 0.38}))
    {'colors': tensor([0, 1, 2]), 'T': 0.38}
    """
    try:
        length, middle = HEAD.unpack_from(frame)
        if length != len(frame) - HEAD.size or middle > length:
            raise WireError("a frame of another length than it says")
        body = memoryview(frame)[HEAD.size :]
        tensors = load(bytes(body[middle:])) if length > middle else {}
        return _value(json.loads(bytes(body[:middle])), tensors)
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, struct.error, SafetensorError, RecursionError) as error:
        raise WireError(f"no frame: {type(error).__name__}") from None


def write(stream: IO[bytes], value: Any) -> None:
    """Send a value."""
    stream.write(pack(value))
    stream.flush()


def read(stream: IO[bytes]) -> Any:
    """Receive a value. EOFError if the stream ends, WireError if what comes is no frame."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        raise EOFError
    length, _ = HEAD.unpack(head)
    if length > LARGEST:
        raise WireError(f"a frame of {length:,} bytes; {LARGEST:,} are the most")
    body = stream.read(length)
    if len(body) < length:
        raise EOFError
    return unpack(head + body)


def _plan(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Describe a value in JSON; its tensors are put aside under numbers."""
    if isinstance(value, Tensor) and not value.is_complex() and value.device.type != "meta":
        value = value.detach()
        dense = value if value.layout == torch.strided else value.to_dense()
        tensors[str(len(tensors))] = dense.cpu().clone(memory_format=torch.contiguous_format)
        return {"tensor": len(tensors) - 1}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        plan = _plan(torch.from_numpy(np.array(value)), tensors)
        return {"array": plan["tensor"]}
    if isinstance(value, np.generic):
        value = value.item()
    if (
        value is None
        or isinstance(value, (bool, int, str))
        or (type(value) is float and math.isfinite(value))
    ):
        return {"value": value}
    if isinstance(value, float):
        return {"float": str(float(value))}
    if isinstance(value, (tuple, list)):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_plan(part, tensors) for part in value]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: _plan(part, tensors) for key, part in value.items()}}
    try:
        words = f"{value!r} ({type(value).__name__})"
    except Exception:  # its own repr crashes
        words = type(value).__name__
    return {"unknown": words[:LONGEST]}


def _value(plan: dict, tensors: dict[str, Tensor]) -> Any:
    ((kind, content),) = plan.items()
    if kind == "tensor":
        return tensors[str(content)]
    if kind == "array":
        return tensors[str(content)].numpy()
    if kind in ("tuple", "list"):
        parts = [_value(part, tensors) for part in content]
        return tuple(parts) if kind == "tuple" else parts
    if kind == "dict":
        return {key: _value(part, tensors) for key, part in content.items()}
    if kind == "float":
        return float(content)
    if kind == "unknown":
        return Unknown(str(content))
    if kind != "value":
        raise WireError(f"an unknown kind {kind!r}")
    return content
