"""Typical mistakes in lesson 11, each with the message it gets."""

import torch
import torch.nn.functional as F

from .lesson_11 import UNIT, best_judge, judge_loss, likeliest, painter_loss, sees


def _naive(real, fake):
    return -(real.sigmoid().log().mean() + (1 - fake.sigmoid()).log().mean()) / 2


def _squashed_twice(real, fake):
    return judge_loss(real.sigmoid(), fake.sigmoid())


def _pooled(real, fake):
    return torch.cat((F.softplus(-real).flatten(), F.softplus(fake).flatten())).mean()


def _l1(made, true):
    return (made - true).abs().mean() / UNIT


def _found(fake, made, true, weight=100.0):
    """The right loss, but for being taken for made up."""
    return F.softplus(fake).mean() + weight * _l1(made, true)


def _saturating(fake, made, true, weight=100.0):
    return -F.softplus(fake).mean() + weight * _l1(made, true)


def _in_ab(fake, made, true, weight=100.0):
    return painter_loss(fake, made, true, weight * UNIT)


def _squares(fake, made, true, weight=100.0):
    return F.softplus(-fake).mean() + weight * ((made - true) / UNIT).square().mean()


def _signed(fake, made, true, weight=100.0):
    return F.softplus(-fake).mean() + weight * (made - true).mean() / UNIT


def _summed(fake, made, true, weight=100.0):
    return painter_loss(fake, made, true, 2 * weight)


def _wrong_weight(fake, made, true, weight=100.0):
    return weight * F.softplus(-fake).mean() + _l1(made, true)


def _ignored(fake, made, true, weight=100.0):
    return painter_loss(fake, made, true)


def _other_way(p, q):
    D, loss = best_judge(p, q)
    return 1 - D, loss


def _ratio(p, q):
    return p / q, best_judge(p, q)[1]


def _zero(p, q):
    D, loss = best_judge(p, q)
    return torch.where(p + q > 0, D, 0.0), loss


def _nan_loss(p, q):
    D, _ = best_judge(p, q)
    return D, -(p * D.log() + q * (1 - D).log()).sum() / 2


def _whole(p, q):
    D, loss = best_judge(p, q)
    return D, 2 * loss


def _unweighted(p, q):
    D, _ = best_judge(p, q)
    return D, judge_loss(D.logit(), D.logit())


def _bits(p, q):
    D, loss = best_judge(p, q)
    return D, loss / torch.tensor(2.0).log()


def _certain(p, q):
    """Names the more frequent source of each color, and stops there."""
    return (p > q).float(), best_judge(p, q)[1]


def _forwards(strides, pixels):
    side, cells = 1, sees(strides, pixels)[1]
    for stride in strides:
        side = stride * (side - 1) + 4
    return side, cells


def _no_steps(strides, pixels):
    return 1 + 3 * len(strides), sees(strides, pixels)[1]


def _unpadded(strides, pixels):
    cells = pixels
    for stride in strides:
        cells = (cells - 4) // stride + 1
    return sees(strides, pixels)[0], cells


def _clipped(strides, pixels):
    side, cells = sees(strides, pixels)
    return min(side, pixels), cells


def _halved(strides, pixels):
    cells = pixels
    for stride in strides:
        cells //= stride
    return sees(strides, pixels)[0], cells


def _with_own_stride(strides, pixels):
    """Counts the step of a convolution before it is taken: each kernel as if its own stride came first."""
    side, step = 1, 1
    for stride in strides:
        step *= stride
        side += 3 * step
    return side, sees(strides, pixels)[1]


def _kernel_of_three(strides, pixels):
    side = 1
    for stride in reversed(strides):
        side = stride * (side - 1) + 3
    return side, sees(strides, pixels)[1]


def _largest(joint, centers):
    """Maximum of each row and column where the sum was wanted."""
    pair = likeliest(joint, centers)[1]
    return torch.stack((centers[joint.amax(dim=1).argmax()], centers[joint.amax(dim=0).argmax()])), pair


def _crossed(joint, centers):
    return likeliest(joint.T, centers)[0], likeliest(joint, centers)[1]


def _expected(joint, centers):
    return torch.stack((joint.sum(dim=1) @ centers, joint.sum(dim=0) @ centers)), likeliest(joint, centers)[1]


def _pair_of_axes(joint, centers):
    return (likeliest(joint, centers)[0],) * 2


def _numbers(joint, centers):
    return likeliest(joint, torch.arange(float(len(centers))))


def _row_for_column(joint, centers):
    alone, together = likeliest(joint, centers)
    return alone, together.flip(0)


MISTAKES = {
    "11.1": (
        (
            lambda real, fake: 2 * judge_loss(real, fake),
            "You add the two means. Take half of each, so that guessing costs ln 2.",
        ),
        (
            _naive,
            "Far from 0 the sigmoid is exactly 0 or 1, and its logarithm infinite. F.softplus(-z) is -ln D for any logit z.",
        ),
        (
            _squashed_twice,
            "The sigmoid is taken twice. The functions that end in `_with_logits` take the logits themselves.",
        ),
        (
            lambda real, fake: judge_loss(-real, -fake),
            "You call the true patches made up, and the made-up ones true. -ln D belongs to the true ones.",
        ),
        (
            _pooled,
            "You take one mean over all patches. With more true than made-up patches the true ones count more: take each mean by itself.",
        ),
        (
            lambda real, fake: F.softplus(fake).mean(),
            "The true patches are missing. Whoever calls everything made up would have a loss near 0.",
        ),
        (
            lambda real, fake: ((real - 1).square().mean() + fake.square().mean()) / 2,
            "You take squared distances from 1 and 0. That is another game (least squares GAN); here it is -ln D and -ln(1 - D).",
        ),
        (
            lambda real, fake: -judge_loss(real, fake),
            "The sign is wrong: this number is to be made small.",
        ),
    ),
    "11.2": (
        (
            _saturating,
            "You take ln(1 - D), which is the discriminator's, negated. Its slope vanishes where D is sure. Take -ln D.",
        ),
        (
            _found,
            "You reward being found out. The generator wants its patches to be called true: -ln D.",
        ),
        (
            _in_ab,
            "Divide the distance by 110 first: the weight is meant for that unit.",
        ),
        (
            _squares,
            "You take squares of the distance. L1 is its absolute value.",
        ),
        (
            _signed,
            "The absolute value is missing: as it stands, too much red here pays for too much green there.",
        ),
        (
            _summed,
            "You add the distances of a and of b. Take the mean over both.",
        ),
        (
            _wrong_weight,
            "The weight stands on the wrong part: it multiplies the L1 distance.",
        ),
        (
            _ignored,
            "Your weight is always 100. Use the argument.",
        ),
    ),
    "11.3": (
        (
            _other_way,
            "That is the probability of made up. D is that of true: p over the sum.",
        ),
        (
            _ratio,
            "You take p over q, which can be above 1. A probability: p over p + q.",
        ),
        (
            _certain,
            "You name the more frequent source. The best answer is its probability: p over p + q.",
        ),
        (
            _zero,
            "Where both p and q are 0 you answer 0. Nobody asks about such a color; this exercise wants 1/2.",
        ),
        (
            _nan_loss,
            "Your loss is not a number: 0 times ln 0. A color that never occurs adds nothing: torch.xlogy(p, D) is 0 where p is 0.",
        ),
        (
            _whole,
            "Your loss has no half. In that of exercise 11.1 true and made up count half each.",
        ),
        (
            _unweighted,
            "You take the plain mean over colors. A color counts as often as it occurs: p and q times the logarithms, summed.",
        ),
        (
            _bits,
            "Your loss is in bits (base 2). Take natural logarithms.",
        ),
    ),
    "11.4": (
        (
            _forwards,
            "You go from the first convolution to the last. For the square that is seen, start at the logit: last convolution first.",
        ),
        (
            _no_steps,
            "You add 3 for each convolution. Behind a stride of 2 a step of one cell is two pixels.",
        ),
        (
            _with_own_stride,
            "You count a convolution's own stride for its own kernel. Its stride spreads only the convolutions after it.",
        ),
        (
            _kernel_of_three,
            "The side of the kernel is 4: one cell sees 4 cells of the level before.",
        ),
        (
            _unpadded,
            "The padding is missing: one pixel on each side. n + 2 cells are there for a kernel of 4.",
        ),
        (
            _clipped,
            "You stop at the side of the picture. A patch may reach beyond it: there the padding is.",
        ),
        (
            _halved,
            "You only divide by the strides. A kernel of 4 with padding 1 also makes the map smaller by one where the stride is 1.",
        ),
    ),
    "11.5": (
        (
            _largest,
            "You take the largest entry of each row and column. How likely an a is, whatever b, is the sum of its row.",
        ),
        (
            _crossed,
            "You have taken rows for columns: a runs down (dimension 0), so that its shares are sums over dimension 1.",
        ),
        (
            _expected,
            "You take the mean color. Wanted is the color of the likeliest bin of each axis.",
        ),
        (
            _pair_of_axes,
            "Your pair is made of the two likeliest bins again. Look for the largest entry of the whole table.",
        ),
        (
            _numbers,
            "You return the numbers of the bins. Their colors are in `centers`.",
        ),
        (
            _row_for_column,
            "In your likeliest pair a and b are exchanged: of the flat number, // K is the row, which is a.",
        ),
    ),
}
