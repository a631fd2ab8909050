"""Compare a result with what is expected, and say in words what is different."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..wire import Unknown


def misfit(got: Any, good: Any, names: tuple[str, ...]) -> str | None:
    """Return None if both are of one make (number of results, types, shapes), else what is different."""
    if got is None:
        return "the function returns None. Is the return missing?"
    if not isinstance(good, tuple):
        return _misfit_of_one(got, good, names[0])
    if not isinstance(got, (tuple, list)) or len(got) != len(good):
        return f"expected {len(good)} results ({' and '.join(names)}), got {describe(got)}."
    found = [_misfit_of_one(g, e, name) for name, g, e in zip(names, got, good, strict=True)]
    return next((message for message in found if message), None)


def _misfit_of_one(got: Any, good: Any, name: str) -> str | None:
    try:
        mine, theirs = torch.as_tensor(got), torch.as_tensor(good)
    except Exception:
        return f"{name} should be {describe(good)}, yours is {describe(got)}."
    if isinstance(good, Tensor) and isinstance(got, (list, tuple)):
        return f"{name} should be a tensor, yours is {describe(got)}."
    if mine.shape != theirs.shape:
        return f"{name} should have shape {tuple(theirs.shape)}, yours has {tuple(mine.shape)}."
    if _kind(mine) != _kind(theirs):
        return f"{name} should hold {_kind(theirs)}, yours holds {_kind(mine)} ({mine.dtype})."
    if mine.isnan().any() and not theirs.isnan().any():
        return f"{name} holds NaN (not a number) in {int(mine.isnan().sum())} of {mine.numel()} places."
    return None


def off(got: Any, good: Any, names: tuple[str, ...], tolerance: float) -> str | None:
    """Return None if all values agree within the tolerance, else where they differ most. Both are of one make."""
    if not isinstance(good, tuple):
        got, good = (got,), (good,)
    found = [_off_in_one(g, e, n, tolerance) for n, g, e in zip(names, got, good, strict=True)]
    return next((message for message in found if message), None)


def _off_in_one(got: Any, good: Any, name: str, tolerance: float) -> str | None:
    a, b = (plain(torch.as_tensor(x)).double() for x in (got, good))
    if not torch.as_tensor(good).is_floating_point():
        tolerance = 0.0  # whole numbers are right or wrong
    far = (a - b).abs()
    far[(a == b) | (a.isnan() & b.isnan())] = 0.0  # equal infinities, too
    bad = ~((far <= tolerance * (1 + b.abs())) & b.isfinite() | (far == 0))
    if not bad.any():
        return None
    if a.ndim == 0:
        return f"{name} should be {b.item():.4g}, yours is {a.item():.4g}."
    where = tuple(np.unravel_index(int(far.argmax()), far.shape))
    place = ", ".join(str(int(i)) for i in where)
    if torch.as_tensor(good).dtype == torch.bool:
        mine, theirs = bool(a[where]), bool(b[where])
        return f"{name} is wrong in {int(bad.sum())} of {a.numel()} places, first at [{place}]: should be {theirs}, yours is {mine}."
    return (
        f"{name} is off in {int(bad.sum())} of {a.numel()} values, most at [{place}]: "
        f"yours {a[where].item():.4g}, expected {b[where].item():.4g}."
    )


def plain(value: Any) -> Any:
    """Bring tensors and arrays into one form, dense and on the CPU; everything else stays as it is."""
    if isinstance(value, Tensor):
        value = value.detach()
        return (value if value.layout == torch.strided else value.to_dense()).cpu()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return torch.from_numpy(np.array(value))  # a copy: PyTorch takes no negative strides
    if type(value) in (tuple, list):
        return type(value)(plain(part) for part in value)
    return value


def has_arrays(value: Any) -> bool:
    """Tell whether a NumPy array is in a value, or is it."""
    return isinstance(value, np.ndarray) or (isinstance(value, (tuple, list)) and any(map(has_arrays, value)))


def tensors(value: Any) -> Any:
    """Turn the NumPy arrays in a value into tensors; everything else stays what it is, gradients too."""
    if isinstance(value, np.ndarray):
        return plain(value)
    return type(value)(map(tensors, value)) if type(value) in (tuple, list) else value


def _kind(tensor: Tensor) -> str:
    if tensor.dtype == torch.bool:
        return "True and False"
    if tensor.is_complex():
        return "complex numbers"
    return "numbers with decimals" if tensor.is_floating_point() else "whole numbers"


def describe(value: Any) -> str:
    if isinstance(value, (Tensor, np.ndarray)):
        kind = "a tensor" if isinstance(value, Tensor) else "an array"
        return f"{kind} of shape {tuple(value.shape)}"
    if isinstance(value, torch.return_types.min | torch.return_types.max):
        return "the values and the numbers that min and max return together: use argmin or argmax for the numbers"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, Unknown):
        return value.description
    return f"{value!r} ({type(value).__name__})"[:120]
