"""Typical mistakes in lesson 0, each with the message it gets."""

import torch

MISTAKES = {
    "0.1": (
        (lambda a, b: a**2 + b**2, "The square root is missing: you return the square of the chroma."),
        (lambda a, b: a + b, "You add a and b. Square each, add, take the square root."),
        (
            lambda a, b: a.abs() + b.abs(),
            "You add |a| and |b|. That is another distance: square each before adding.",
        ),
        (
            lambda a, b: torch.sqrt(a**2 + b**2).mean(),
            "You return one number. Each pixel has its own chroma.",
        ),
    ),
}
