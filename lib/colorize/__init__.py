"""Automatic image colorization: the library of the course.

Modules stand on floors and import only from the floors below them (``docs/architecture.md``).
Images are float tensors (N, 3, H, W), sRGB in [0, 1]; Lab has the same shape, L in 0..100, a and b in their own units.
"""

__version__ = "1.0.0"
