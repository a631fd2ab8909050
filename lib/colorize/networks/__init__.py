"""Networks, one file each. Those that color take L in 0..100, (N, 1, H, W), and normalize inside.

``network.stride`` is the ratio of input to output resolution, rounded up: a SmallNet answers 65 x 65 pixels with 33 x 33
predictions, a ZhangNet with 17 x 17. A network whose answer is neither ab nor logits of the 313 bins brings a method
``readout(answer, lightness, T)`` that turns it into ab, (N, 2, h, w).
"""

from .classifier import Classifier
from .fusion import FusionNet
from .gan import PatchDiscriminator, UNet
from .hypercolumn import HypercolumnNet
from .plain import PlainNet
from .small import SmallNet
from .zhang import ZhangNet

__all__ = [
    "Classifier",
    "FusionNet",
    "HypercolumnNet",
    "PatchDiscriminator",
    "PlainNet",
    "SmallNet",
    "UNet",
    "ZhangNet",
]
