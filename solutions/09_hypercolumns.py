# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Lesson 9 · Hypercolumns
#
# **What else can a network be asked for, and which of its layers should answer?**
#
# Larsson, Maire and Shakhnarovich built another colorizer in 2016, the year of Zhang's. It answers with two short histograms,
# one of hue and one of chroma, and it asks all layers about every pixel. Here you take it apart, piece by piece.
#
# After this lesson you can
# - take a color apart into gray, hue and chroma, and put it together again at any lightness;
# - cut an axis into bins at quantiles, and train on such bins;
# - average hues, and say why a mean of angles needs arrows;
# - say what chromatic fading repairs, and find the misprint in its formula;
# - read a hypercolumn, and say why a few pixels are enough to train with.
#
# | to read and solve | to run | needs |
# |---|---|---|
# | 90 minutes, 6 exercises, one of them optional | under a minute, most of it one training | CPU only, no download |
#
# You should know the toy world (lesson 3), classification (lesson 4) and the readouts (lesson 6). How exercises work: replace
# the line `raise NotImplementedError` by your answer and run the cell. Whatever the badge says, you can go on. Cells that only
# draw are folded; a click on the three dots opens them.

# %%
import math

import ipywidgets
import torch
import torch.nn.functional as F

from colorize import huechroma, images, larsson, quantiles, readouts, toyruns
from colorize.check import check
from colorize.colorizer import Colorizer
from colorize.decode import paint
from colorize.figures import name_row, panels, picture, pictures, show, training_curve
from colorize.files import read_results
from colorize.huechroma import boost, hue_chroma_to_ab, mean_gray, pure
from colorize.lab import rgb_to_lab
from colorize.metrics import mean_chroma
from colorize.networks import HypercolumnNet
from colorize.networks.heads import HueChroma
from colorize.networks.hypercolumn import SPACING, grid_points, read_layer, sampled_loss
from colorize.toyworld import ToyWorld
from colorize.training import fit
from colorize.widgets import slider_demo

# %% [markdown]
# ## 1. Another way to write a color
#
# Lab writes a color as its lightness and two axes, a and b. Painters ask two other questions: *which* color, and *how much* of
# it? The first is the **hue**, an angle: red, yellow, green, cyan, blue, magenta, and red again. The second is the **chroma**,
#
# $$ C = \max(R, G, B) - \min(R, G, B) : $$
#
# 0 for every gray, 1 where one channel is full and another is off. With lightness as the height, all colors together make a
# double cone, a **bicone**: near black and near white there is little room for chroma.

# %% jupyter={"source_hidden": true}
fig, (disk, slice_) = panels(1, 2, (2.7, 2.6))
axis = torch.linspace(-1, 1, 161)
y, x = torch.meshgrid(axis, axis, indexing="ij")
round_hue = (torch.atan2(y, x) / (2 * math.pi)) % 1
radius = torch.hypot(x, y)
half = torch.full_like(x, 0.5)
across = torch.where(x > 0, 1 / 12, 7 / 12)  # orange to the right, azure to the left
up = (y + 1) / 2
for ax, hcl, inside in (
    (disk, (round_hue, radius, half), radius <= 1),
    (slice_, (across, x.abs(), up), x.abs() <= huechroma.largest_chroma(up)),
):
    rgb = huechroma.hcl_to_rgb(torch.stack(hcl)).clamp(0, 1)
    shown = torch.where(inside, rgb, 1).movedim(0, -1)
    top = 1 if ax is disk else None
    extent = (-1, 1, -1, 1) if top else (-1, 1, 0, 1)
    ax.imshow(shown.numpy(), extent=extent, origin="lower", aspect="auto")
names = ("red 0", "yellow 1/6", "green 1/3", "cyan 1/2", "blue 2/3", "magenta 5/6")
for k, name in enumerate(names):
    angle = 2 * math.pi * k / 6
    place = 1.6 * math.cos(angle), 1.2 * math.sin(angle)
    disk.text(*place, name, ha="center", va="center", fontsize=8)
disk.set(xlim=(-2.1, 2.1), ylim=(-1.3, 1.3), xticks=[], yticks=[], aspect="equal")
disk.set_title("from above")
disk.spines[:].set_visible(False)
slice_.set(xlabel="chroma, azure to orange", ylabel="lightness")
slice_.set_title("cut in half")
show(
    fig,
    alt="Left a disk of colors, gray in the middle, with six hues named around it. "
    "Right a rhombus: white at the top, black at the bottom, full azure and "
    "orange at the corners in the middle.",
    caption="The bicone. From above: hue around, chroma outward. Cut in half: only at "
    "half lightness there is room for all of the chroma.",
)

# %% [markdown]
# The hue is counted as a share of a turn. It lies around 0 where red is the largest channel, around 1/3 where green is, around
# 2/3 where blue is. The other two channels say on which side:
#
# $$ \text{hue} = \frac16 \begin{cases} (G - B) / C & \text{red is largest} \\ 2 + (B - R) / C & \text{green is largest} \\
# 4 + (R - G) / C & \text{blue is largest} \end{cases} \quad\text{around the circle, } 0 \le \text{hue} < 1 . $$
#
# **Predict.** What is the hue of a gray pixel? And can you trust the hue of a pixel that is gray but for one level of 255?
# (Section 4 measures it.)
#
# ### Exercise 9.1 · Hue and chroma
# ●●○○○ · 10 minutes
#
# Return both for each pixel. A gray pixel has no hue; give it 0.
#
# <details><summary>Hint 1</summary>Compute all three lines for all pixels, then choose with <code>torch.where</code>. What
# happens to the division where the chroma is 0?</details>
# <details><summary>Hint 2</summary><code>red, green, blue = rgb</code> takes the channels apart; <code>rgb.amax(dim=0)</code>
# is the largest. Divide by <code>torch.where(chroma &gt; 0, chroma, 1)</code>. A negative hue goes around the circle with
# <code>% 1</code>.</details>


# %%
@check("9.1")
def hue_chroma(rgb):
    """Hue in [0, 1) and chroma in [0, 1]: rgb (3, H, W) -> (H, W), (H, W)."""
    # BEGIN SOLUTION
    red, green, blue = rgb
    largest = rgb.amax(dim=0)
    chroma = largest - rgb.amin(dim=0)
    safe = torch.where(chroma > 0, chroma, 1)
    green_or_blue = torch.where(
        largest == green, 2 + (blue - red) / safe, 4 + (red - green) / safe
    )
    sixths = torch.where(largest == red, (green - blue) / safe, green_or_blue)
    return (sixths / 6) % 1, chroma
    # END SOLUTION


# %%
cup = images.square(images.bundled("coffee"), 192)  # (3, 192, 192)
hue, chroma = hue_chroma(cup)
theirs = huechroma.hue_chroma(cup)
apart = max(
    (one - other).abs().max() for one, other in zip((hue, chroma), theirs, strict=True)
)
print(f"largest difference from huechroma.hue_chroma: {apart:.0e}")
print(f"mean chroma {chroma.mean():.2f} of 1; hue between 0 and 1/6: ", end="")
print(f"{(hue < 1 / 6).float().mean():.0%} of the pixels")

# %% jupyter={"source_hidden": true}
parts = {
    "photo": cup,
    "gray": mean_gray(cup).expand(3, -1, -1),
    "hue": pure(hue),
    "chroma": chroma.expand(3, -1, -1),
}
show(
    pictures(list(parts.values()), list(parts), columns=4, inches=1.4),
    alt="A cup of coffee on a table, four times: the photo, its gray, its hue as a "
    "pure color at each pixel, its chroma as gray. The hue is red and orange "
    "nearly everywhere, with blue and yellow specks at the rim of the cup.",
    caption="The photo, its mean of R, G and B, its hue at full chroma, its chroma. At "
    "the white rim of the cup and at the spoon, where the chroma is low (dark on "
    "the right), the hue is restless.",
)

# %% [markdown]
# A third space is **alpha-beta** of Deshpande et al. (2015), known from lesson 8: $\alpha = (B - (R + G)/2) / L$ and $\beta =
# (R - G) / L$, with $L$ the mean of $R$, $G$, $B$.
#
# **Predict.** Take a dull red. Halve all its channels, as in a shadow; or add 0.2 to each, as in fog. Which of the three spaces
# says "same color, other lightness"?

# %%
red = torch.tensor([0.6, 0.3, 0.3]).view(3, 1, 1)
print("                    hue  chroma   alpha   beta   chroma in Lab")
for name, color in {"dull red": red, "halved": red / 2, "plus 0.2": red + 0.2}.items():
    h, c = huechroma.hue_chroma(color)
    alpha, beta = huechroma.rgb_to_alpha_beta(color).flatten().tolist()
    in_lab = rgb_to_lab(color)[1:].norm()
    print(f"{name:16}{h.item():7.2f}{c.item():8.2f}{alpha:8.2f}{beta:7.2f}{in_lab:12.1f}")

# %% [markdown]
# Halving keeps alpha and beta. Adding keeps hue and chroma. In Lab the chroma changes both times.
#
# ## 2. Putting it together: lightness correction
#
# Adding one number to all channels keeps the differences between them, and so hue and chroma. So a network that says hue and
# chroma says nothing about gray, and need not: the gray is known. Larsson et al. take $L = (R + G + B) / 3$ as gray. Whatever
# gray a predicted color has, they add the difference to all three channels (section A.4).
#
# Try it: a *predicted* picture, here the photo with its chroma times 0.7, whose mean gray is off by a little. (`boost` keeps
# the middle between the largest and the smallest channel, and that is not the mean.)

# %%
predicted = boost(cup, 0.7)
corrected = huechroma.correct_lightness(predicted, mean_gray(cup))
for name, rgb in {"predicted": predicted, "corrected": corrected}.items():
    off = (mean_gray(rgb) - mean_gray(cup)).abs()
    print(f"{name}: gray off by {off.mean():.4f}")
moved = (hue_chroma(corrected)[1] - hue_chroma(predicted)[1]).abs()
print(f"the chroma has moved by at most {moved.max():.4f}")

# %% [markdown]
# Where a channel has to be clipped at 0 or 1, both are a little off.
#
# This course keeps the L of Lab, not the mean of R, G, B. `hue_chroma_to_ab` halves an interval 20 times to find the number
# that, added to all channels, gives the known L. A chroma that has no room at that L is cut to the largest that fits.
#
# With hue and chroma apart, a saturation slider is one multiplication. **Predict.** With the factor 2, is the mean chroma twice
# as large?

# %%
slider = ipywidgets.FloatSlider(1.0, min=0.0, max=3.0, step=0.1, description="factor")


def more(factor):
    """The cup with its chroma times a factor, and a line of text."""
    rgb = boost(cup, factor)
    found = huechroma.hue_chroma(rgb)[1].mean().item()
    return rgb, f"factor {factor:.1f}, mean chroma {found:.2f} of 1"


slider_demo(more, slider, "boost", "The cup of coffee, less or more vivid", width=288)

# %% jupyter={"source_hidden": true}
found = {factor: more(factor) for factor in (0.0, 1.0, 2.0)}
show(
    pictures(
        [F.interpolate(rgb[None], 144, mode="area")[0] for rgb, _ in found.values()],
        [
            words.replace(", mean ", "\n").replace(" of 1", "")
            for _, words in found.values()
        ],
        columns=3,
        inches=1.3,
    ),
    alt="The cup of coffee three times, from gray to glaring red and orange.",
    caption="The slider at three places, for readers without a kernel. Twice the factor "
    "is less than twice the chroma: dark and light colors have no room for more.",
)

# %% [markdown]
# ## 3. Bins of equal share
#
# The 313 bins of lesson 2 are squares of one size, and a few of them hold most pixels, which are nearly gray. Larsson et al.
# cut the axes a and b another way: into $K$ bins that each hold the *same share* of a Gaussian (a bell curve) around gray with
# $\sigma = 25$. $\Phi^{-1}(x)$ is the value below which a share $x$ of a Gaussian with $\sigma = 1$ lies. Edges and centers are
#
# $$ \text{edge}_k = \sigma\, \Phi^{-1}\!\left(\frac{k}{K}\right), \; k = 0 \ldots K, \qquad
# \text{center}_k = \sigma\, \Phi^{-1}\!\left(\frac{k + 1/2}{K}\right), \; k = 0 \ldots K - 1 . $$
#
# The centers are our choice, as the paper does not say what stands for a bin: each halves the share of its bin. The paper takes
# $K = 32$ for a and for b apart (*marginal*: two histograms of 32), or a grid of 16 x 16 (*joint*). It cuts hue and chroma
# evenly, into 32 bins each.
#
# **Predict.** How wide is the bin next to gray, and how wide is the last one?
#
# ### Exercise 9.2 · Bins of equal share
# ●●○○○ · 8 minutes
#
# Return edges and centers.
#
# <details><summary>Hint 1</summary>The shares 0, 1/2K, 2/2K, ..., 1 belong to edge, center, edge, ..., edge.</details>
# <details><summary>Hint 2</summary><code>torch.special.ndtri</code> is the inverse of the normal distribution with sigma 1. At
# 0 and 1 it is infinite, as it should be. <code>values[::2]</code> takes every second one.</details>


# %%
@check("9.2")
def gaussian_axis(number=32, sigma=25.0):
    """Bins of equal share -> edges (number + 1,), infinite ends; centers (number,)."""
    # BEGIN SOLUTION
    shares = torch.arange(2 * number + 1) / (2 * number)
    values = sigma * torch.special.ndtri(shares)
    return values[::2], values[1::2]
    # END SOLUTION


# %%
edges, centers = (values.float() for values in gaussian_axis())
print("edges from the middle: ", [round(e, 1) for e in edges[16:].tolist()])
print(f"first and last center: {centers[0]:.1f} and {centers[-1]:.1f}")
bell = quantiles.Axis(edges, centers)  # what the library's gaussian_axis returns
numbers = 25 * torch.randn(100_000, generator=torch.Generator().manual_seed(0))
shares = torch.bincount(bell.index(numbers), minlength=32) / len(numbers)
print(f"Gaussian numbers in a bin: {shares.min():.1%} to {shares.max():.1%}, 1/32 = 3.1%")

# %%
photos = torch.stack(
    [images.square(images.bundled(name), 128) for name in images.BUNDLED]
)  # (5, 3, 128, 128)
photo_lab = rgb_to_lab(photos)
of_a = torch.bincount(bell.index(photo_lab[:, 1]).flatten(), minlength=32)
of_a = of_a / of_a.sum()

# %% jupyter={"source_hidden": true}
fig, (left, right) = panels(1, 2, (4.2, 2.7))
wide = torch.linspace(-80, 80, 321)
height = torch.exp(-(wide**2) / 1250) / (25 * math.sqrt(2 * math.pi))
left.plot(wide, height, color="black")
inner = edges[1:-1]
left.vlines(inner, 0, torch.exp(-(inner**2) / 1250) / 62.666, color="0.5", linewidth=0.8)
left.plot(centers, 0 * centers, "|", color="C3", markersize=9)
left.set(xlabel="a or b (ab units)", ylabel="density", title="32 bins of equal share")
right.bar(range(32), (100 * of_a).tolist(), color="0.6", edgecolor="black", linewidth=0.4)
right.axhline(100 / 32, color="black", linestyle="--", linewidth=1)
right.set(xlabel="number of the bin of a", ylabel="pixels (%)", title="five photos")
show(
    fig,
    alt="Left a bell curve cut by vertical lines, dense in the middle, sparse "
    "outside. Right 32 bars: nothing up to bin 13, 16 and 21 percent at bins 16 "
    "and 17, less beyond.",
    caption="Left: the expected figure of exercise 9.2; ticks are the centers. Right: "
    "five photos are no Gaussian, for which all bars would end at the dashed "
    "line: they have hardly any green, to the left.",
)

# %% [markdown]
# The bin next to gray is 2 ab units wide; the last one has no end. Its center is at 54: along an axis, no mean over these bins
# gets farther from gray than that.
#
# ### The loss
#
# A network answers with $K$ probabilities $f$. The truth $y$ at a pixel is one bin, or, as the paper also tried, the histogram
# of the $R \times R$ pixels around it. Either way the loss is the Kullback-Leibler divergence (its equation 2):
#
# $$ D(y \,\|\, f) = \sum_k y_k \ln \frac{y_k}{f_k} . $$
#
# If $y$ is a single bin $k$, that is $-\ln f_k$, the cross-entropy of lesson 4. If $y$ is a histogram, it is the cross-entropy
# minus the entropy of $y$. **Predict.** Does that difference change what a network learns?

# %%
logits = torch.randn(1, 32, 1, generator=torch.Generator().manual_seed(1))
logits.requires_grad_()
square = torch.tensor([[3, 3, 3, 3, 3, 3, 9, 9, 9]])  # bins of 3 x 3 pixels at an edge
target = quantiles.histogram(square, 32).view(1, 32, 1)
cross_entropy = -(target * logits.log_softmax(dim=1)).sum()
divergence = quantiles.kl(logits, target).sum()
gradients = [torch.autograd.grad(x, logits)[0] for x in (cross_entropy, divergence)]
print(f"cross-entropy {cross_entropy:.3f}, divergence {divergence:.3f} nats")
print(f"entropy of the histogram {torch.special.entr(target).sum():.3f} nats")
apart = (gradients[0] - gradients[1]).abs().max()
print(f"largest difference of the gradients {apart:.0e}")

# %% [markdown]
# No: the divergence only starts to count at 0, its best value. The paper sees "no benefit to predicting smoothed histograms"
# and takes $R = 1$ (section 3.2; the released training files have 7). Our number for it is in section 9.
#
# ## 4. Hue is a circle
#
# ### A gray pixel's hue is noise
#
# **Predict.** A pixel has chroma 0.02, five levels of 255. Rounding to 8 bits moves each channel by up to half a level. By how
# many degrees does its hue move?

# %%
random = torch.Generator().manual_seed(0)
hues = torch.rand(1, 10_000, generator=random)
print("chroma   mean change of hue (degrees)   loss weighs the hue by")
for c in (0.0, 1 / 255, 0.02, 0.1, 0.5):
    rgb = 0.3 + c * pure(hues)  # (3, 1, 10000)
    noise = (torch.rand(rgb.shape, generator=random) - 0.5) / 255
    turned = (huechroma.hue_chroma(rgb + noise)[0] - hues + 0.5) % 1 - 0.5
    print(f"{c:6.3f}{360 * turned.abs().mean():18.1f}{5 * c:27.3f}")

# %% [markdown]
# At five levels, by 4 degrees. At one level, by 19. At chroma 0 the hue is random (90 degrees is the mean of a random angle),
# and a network that is asked for it learns noise. So the loss weighs the hue by the chroma $y_C$ of the true pixel (equation 3;
# inside $D$, $y_H$ and $y_C$ are the true bins, $f_H$ and $f_C$ the network's two histograms):
#
# $$ D(y_C \,\|\, f_C) + \lambda_H\, y_C\, D(y_H \,\|\, f_H), \qquad \lambda_H = 5 . $$
#
# Why 5? It is "roughly the inverse expectation of $y_C$", so that hue and chroma count about the same. **Predict.** What would
# it be for our five photos?

# %%
mean_c = huechroma.hue_chroma(photos)[1].mean()
print(f"mean chroma of the five photos {mean_c:.2f}, its inverse {1 / mean_c:.1f}")

# %% [markdown]
# These are vivid photos; 5 belongs to a mean chroma of 0.2.
#
# The weight has a price. The best answer about the hue is no longer the palette: a vivid color counts more. The toy world's
# plum is violet with probability 0.7 and yellow with 0.3. Yellow plums are more vivid, so the best answer gives them more than
# 0.3. `HueChroma.best` computes it.


# %%
head = HueChroma()  # 32 bins of hue, 32 of chroma: targets, loss, readout
world = ToyWorld(toyruns.size().scene)


def exact(kind, L=60.0):
    """Best answer about a kind at lightness L: shares of hue and chroma, (1, 32) each."""
    palette = world.palette(kind)
    colors = palette.colors.float().T  # (2, k)
    lab = torch.cat((torch.full_like(colors[:1], L), colors))[None, :, None]
    answer = head.best(lab, palette.probabilities.float())[..., 0]  # (1, 64)
    return [z.softmax(dim=1) for z in answer.chunk(2, dim=1)]


for name, p in zip(("hue", "chroma"), exact("plum"), strict=True):
    for k in p[0].nonzero().flatten().tolist():
        print(f"plum, {name:6} {(k + 0.5) / 32:.2f} with {p[0, k]:.2f}")

# %% [markdown]
# ### The mean of a hue
#
# Two hues, 350 and 10 degrees, are both nearly red. **Predict.** What is their mean?
#
# As numbers, 180 degrees: cyan. So do not average numbers. Draw an arrow of length 1 for each of the $K$ bins, at the angle
# $\theta_k = 2\pi (k + 1/2) / K$. Average the arrows, each weighted by the probability $p_k$ of its bin, and see where the mean
# arrow points:
#
# $$ x = \sum_k p_k \cos\theta_k, \quad y = \sum_k p_k \sin\theta_k, \qquad \text{hue} = \frac{\operatorname{atan2}(y, x)}{2\pi},
# \quad \text{length} = \sqrt{x^2 + y^2} . $$
#
# (The paper's equation 4 writes the arrow as a complex number $z$ and divides by $K$ once more. We come to that.) The length
# tells how well the hues agree: 1 if all are the same, 0 if they cancel, and then the direction means nothing.
#
# ### Exercise 9.3 · The mean of a hue
# ●●○○○ · 8 minutes
#
# Return the hue, from 0 to 1, and the length, for each row of `p`.
#
# <details><summary>Hint 1</summary><code>torch.arange(K)</code> gives the numbers of the bins; K is
# <code>p.shape[1]</code>.</details>
# <details><summary>Hint 2</summary><code>p @ theta.cos()</code> is x, (M,). <code>torch.atan2(y, x)</code> lies between -pi and
# pi: divide by 2 pi, then <code>% 1</code>.</details>


# %%
@check("9.3")
def circular_mean(p):
    """Mean around the circle: p (M, K), rows sum to 1 -> hue (M,), length (M,)."""
    # BEGIN SOLUTION
    count = p.shape[1]
    theta = 2 * math.pi * (torch.arange(count) + 0.5) / count
    x, y = p @ theta.cos(), p @ theta.sin()
    return torch.atan2(y, x) / (2 * math.pi) % 1, torch.hypot(x, y)
    # END SOLUTION


# %%
two = torch.zeros(1, 18)
two[0, [0, 17]] = 0.5  # the middles of 18 bins are at 10, 30, ..., 350 degrees
arrows = {"10 and 350 degrees": two}
arrows |= {kind: exact(kind)[0] for kind in ("apple", "plum", "balloon")}
for name, p in arrows.items():
    h, length = circular_mean(p)
    turn = (360 * h.item() + 180) % 360 - 180  # -180 to 180, so that 359.99 reads as 0
    print(f"{name:19} mean {round(turn) + 0:4d} degrees, length {length.item():.2f}")

# %% jupyter={"source_hidden": true}
fig, axes = panels(1, 4, (1.9, 2.1))
circle = torch.linspace(0, 2 * math.pi, 100)
for ax, (name, p) in zip(axes, arrows.items(), strict=True):
    ax.plot(circle.cos(), circle.sin(), color="0.8", linewidth=1)
    number = p.shape[1]
    for k in p[0].nonzero().flatten().tolist():
        angle = 2 * math.pi * (k + 0.5) / number
        end = math.cos(angle), math.sin(angle)
        ax.plot(
            (0, end[0]),
            (0, end[1]),
            color=pure(torch.tensor([[k / number]])).flatten().tolist(),
        )
        ax.text(
            1.25 * end[0],
            1.2 * end[1],
            f"{p[0, k]:.2f}",
            ha="center",
            va="center",
            fontsize=8,
        )
    h, length = (value.item() for value in circular_mean(p))
    tip = length * math.cos(2 * math.pi * h), length * math.sin(2 * math.pi * h)
    ax.annotate(
        "",
        tip,
        (0, 0),
        arrowprops={"width": 2, "headwidth": 7, "headlength": 7, "color": "black"},
    )
    ax.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")
    ax.set_axis_off()
    ax.set_title(f"{name}\nlength {length:.2f}", fontsize=9)
show(
    fig,
    alt="Four circles with arrows. 10 and 350 degrees: the mean points right, nearly "
    "full length. Apple: red and green, the mean between them, two thirds. Plum: "
    "violet and yellow, the mean between. Balloon: six arrows all around, the "
    "mean nearly nothing.",
    caption="Thin lines: the hues that occur, with their shares. Black: the mean arrow. "
    "Between red and green it points to orange; of a balloon hardly anything is "
    "left.",
)

# %% [markdown]
# The mean arrow of an apple points to orange, which no apple has. (Red apples have the larger share, because they are more
# vivid.) That is the brown of lesson 3, but now the length says *that the hues disagree*.
#
# ## 5. From two histograms to a color, once more
#
# For the hue: a sample, the mode (the likeliest bin), or the circular mean, which the paper calls expectation. A circle has no
# median: no bin comes first. For the chroma: sample, mode, expectation, or median.
#
# Why a median? "Many objects can appear both with and without chroma" (section 3.3), and a gray share draws the expectation
# down. The median stays with the majority. As in lesson 6, the mass of a bin is spread evenly between its edges, so that the
# median does not jump from bin to bin: it lies where the cumulative sum passes 1/2.
#
# ### Exercise 9.4 · The median between the edges
# ●●●○○ · 10 minutes
#
# Return the median of each row. The edges rise; the bins may differ in width. (Lesson 6 had evenly spaced levels. With edges
# the formula is shorter. `np.interp` is another way.)
#
# <details><summary>Hint 1</summary><code>p.cumsum(dim=1)</code> is the sum at the <i>right</i> edge of each bin. The first bin
# where it reaches 1/2 holds the median.</details>
# <details><summary>Hint 2</summary>That bin has the mass m; the mass s lies below it. The median is its left edge plus (1/2 -
# s) / m of its width. <code>total.gather(1, k)</code> with k (M, 1) picks the numbers.</details>


# %%
@check("9.4")
def median(p, edges):
    """Median of each row: p (M, K) sums to 1 in each row, edges (K + 1,) -> (M,)."""
    # BEGIN SOLUTION
    total = p.cumsum(dim=1)
    k = (total < 0.5).sum(dim=1, keepdim=True)  # (M, 1)
    mass = p.gather(1, k)
    below = total.gather(1, k) - mass
    return (edges[k] + edges.diff()[k] * (0.5 - below) / mass)[:, 0]
    # END SOLUTION


# %% [markdown]
# ### Chromatic fading
#
# The balloon of section 4 has a mean arrow of length 0.14: its six hues nearly cancel. But its median chroma is 0.31, since
# none of the six colors is gray. So hue and chroma together paint every balloon teal, though four of the six hues are far from
# it. The paper's cure is to fade the chroma $C$ where the hues disagree. It prints (equation 5)
#
# $$ C_\text{faded} = \max(\eta^{-1} |z|,\, 1) \cdot C, \qquad \eta = 0.03, $$
#
# with $|z| = \text{length} / K$ (here the extra $K$ of equation 4 matters) and a threshold $\eta$. **Predict.** What does this
# formula do to a balloon, $|z| = 0.14 / 32 = 0.004$? And to a lemon, whose hues agree?
#
# <details><summary>Answer</summary>To the balloon: max(0.15, 1) = 1, nothing. To the lemon: max(1 / 32 / 0.03, 1) = 1.04, a
# little more chroma. This never fades. The authors' published code takes the minimum.</details>
#
# ### Exercise 9.5 · Chromatic fading
# ●●○○○ · 6 minutes
#
# Write it with the minimum.
#
# <details><summary>Hint 1</summary>First |z|, then the factor, then the product.</details>
# <details><summary>Hint 2</summary><code>x.clamp(max=1)</code> is the smaller of x and 1.</details>


# %%
@check("9.5")
def fade(chroma, length, number=32, eta=0.03):
    """Fade where hues disagree: chroma and length of any one shape -> the same shape."""
    # BEGIN SOLUTION
    z = length / number  # equation 4
    factor = (z / eta).clamp(max=1)  # equation 5, with the minimum
    return factor * chroma
    # END SOLUTION


# %% [markdown]
# At which length does fading begin? Below $32 \cdot 0.03 = 0.96$: as soon as the hues are not almost the same. Below, the exact
# answers about five kinds of things are read out. **Predict.** Whose median is far from the expectation? Which kind fades most?

# %%
KINDS = ("sky", "roof", "tulip", "apple", "balloon")
found = {}
print("          hue length   chroma: expected   median    faded")
for kind in KINDS:
    p_hue, p_chroma = exact(kind)
    h, length = circular_mean(p_hue)
    middle = median(p_chroma, head.axis.edges)
    mean = readouts.expectation(p_chroma, head.axis.centers)
    found[kind] = h, middle, fade(middle, length)
    row = (length, mean, middle, found[kind][2])
    print(f"{kind:10}{row[0].item():8.2f}{row[1].item():20.2f}", end="")
    print(f"{row[2].item():9.2f}{row[3].item():9.2f}")

# %% jupyter={"source_hidden": true}
ROWS = ("occurs", "L2", "plain", "faded")
canvas = torch.ones(3, 4 * 60, 5 * 70)
fig, (ax,) = panels(1, 1, (5.4, 3.9))
for k, kind in enumerate(KINDS):
    palette = world.palette(kind)
    count = (60 * palette.probabilities).round().long()
    occurs = palette.colors.float().repeat_interleave(count, dim=0).T  # (2, 60)
    h, *chromas = found[kind]
    of = [hue_chroma_to_ab(h[None], c[None], torch.full((1, 1), 60.0)) for c in chromas]
    colors = occurs, palette.mean().float().view(2, 1), *(ab[:, 0] for ab in of)
    for row, ab in enumerate(colors):
        wide = ab.expand(2, 60)[None, :, None]
        band = paint(torch.full((1, 1, 1, 60), 60.0), wide)[0]  # (3, 1, 60)
        canvas[:, 60 * row + 18 : 60 * row + 58, 70 * k : 70 * k + 60] = band
        words = f"{ab.norm(dim=0).mean():.0f}"
        ax.text(70 * k + 30, 60 * row + 15, words, ha="center", fontsize=8)
    ax.text(70 * k + 30, -5, kind, ha="center")
picture(ax, canvas)
for row, name in enumerate(ROWS):
    ax.text(-6, 60 * row + 38, name, ha="right", va="center")
show(
    fig,
    alt="Five columns of colored patches for sky, roof, tulip, apple and balloon, in "
    "four rows: the colors that occur, their mean, hue and chroma read out "
    "plainly, and faded. The plain balloon is teal, the faded one nearly gray.",
    caption="Above: what occurs, by its share. Then the best answer to L2, and that in "
    "hue and chroma, without and with fading. Numbers: chroma in Lab. The plain "
    "balloon is teal, as if that were sure; faded it is nearly gray, as the mean is.",
)

# %% [markdown]
# - **Roof**: red with 0.6. The median stays with the majority: it is more vivid than the mean.
# - **Tulip**: gray with 0.85. The median says gray, the expectation not quite. The loss weighs by chroma, so the hue is nearly
#   all pink and its arrow is long; the chroma decides.
# - **Apple**: between red and green, in a hue that no apple has. Fading makes it duller, not truer. (Half of the mass lies in
#   the chroma bin that ends at 0.34, half in one that begins at 0.59. Any number between is a median; this is the lowest.)
# - **Balloon**: here fading cures. A color that fits one balloon in six becomes nearly gray.
#
# And on photos? Here is the answer of the course's own small network `hypercolumns` about the cat, read out in four ways. How
# well do its hues agree?

# %%
colorizer = Colorizer.load("hypercolumns")
cat = images.square(images.bundled("chelsea"), 128)
lightness, answer = colorizer.answer(cat)  # L, and logits (1, 64, 64, 64)
ways = {
    "sample": ("sample", "sample", None),
    "mode": ("mode", "mode", None),
    "median": ("expectation", "median", None),
    "faded": ("expectation", "median", "code"),
}
random = torch.Generator().manual_seed(0)
found = {
    name: head.readout(answer, lightness, 1.0, *way, generator=random)
    for name, way in ways.items()
}
p_hue = answer[0, :32].softmax(dim=0).flatten(1).T  # (4096, 32)
agree = circular_mean(p_hue)[1]
print(f"mean length of the arrows {agree.mean():.2f}; ", end="")
print(f"below 0.96, where fading begins: {(agree < 0.96).float().mean():.0%}")

# %% jupyter={"source_hidden": true}
painted = {name: paint(lightness, ab)[0] for name, ab in found.items()} | {"photo": cat}


def in_lab(rgb):
    """Mean chroma of a picture, in ab units of Lab."""
    return mean_chroma(rgb_to_lab(rgb[None])[:, 1:]).item()


show(
    pictures(
        list(painted.values()),
        [f"{name}\nchroma {in_lab(rgb):.1f}" for name, rgb in painted.items()],
        columns=5,
        inches=1.35,
    ),
    alt="The cat five times: speckled, gray with a few patches, twice in an olive "
    "tint, the second paler; then the photo, reddish brown with green eyes.",
    caption="One answer, four readouts, and the photo. The sample is speckled, the mode "
    "nearly gray; fading takes a part of the median's chroma.",
)

# %% [markdown]
# And on 97 validation photos? **Predict** from the cat: which readout has the smallest error? (RMSE is the mean distance in
# alpha-beta, PSNR is in dB; lesson 8 has both. In brackets are the paper's numbers, Tables 1 and 5, on 1,000 photos of
# ImageNet.)

# %%
results = read_results("hypercolumns")  # python -m colorize.larsson, see section 9
print("hue, chroma, fading                        RMSE             PSNR         chroma")
for name, row in results["readouts"]["rows"].items():
    one, paper = row["photos"], row["paper"]
    rmse, psnr = (f"({paper[0]:.3f})", f"({paper[1]:.2f})") if paper else ("", "")
    print(f"{name:40}{one['rmse']:7.3f} {rmse:8}{one['psnr']:7.2f} {psnr:8}", end="")
    print(f"{one['chroma']:6.1f}")

# %% [markdown]
# - **Fading is a large gain**: from 0.442 to 0.401 here, from 0.342 to 0.299 in the paper.
# - The worst are the sample and the expectation without fading. By RMSE, two pairs have changed places against the paper: mode
#   and faded expectation, gray and plain median.
# - As printed, with the maximum, fading changes nothing; nor does it with the minimum but without the $K$. Only the minimum
#   *with* the $K$ gives a gain like the paper's.
#
# With the exact answers of the toy world the gain is small, 0.125 to 0.124 (section 9). On photos, fading repairs hues that the
# network is unsure of.
#
# ## 6. A column through the network
#
# Zhang's network answers with its last layer. Larsson et al. ask *all* layers. For one pixel, take the numbers that every layer
# has at this pixel's place, from the gray value itself to the last, coarse layer, and put them in one long list: the pixel's
# **hypercolumn**. In their network, VGG-16, it has 12,417 numbers. One hidden layer of 1,024 units turns it into the two
# histograms.
#
# Ours is VGG-16 in miniature: the gray value and 11 layers, 913 numbers for each pixel. Early layers know *where* an edge is,
# late ones *what* is around.
#
# **Predict.** A pixel lies at row 76, column 42 of the cat. Where does it lie in a layer that has one cell for each 16 x 16
# pixels?

# %%
network = colorizer.network
place = torch.tensor([[[76.0, 42.0]]])  # row, column
with torch.inference_mode():
    layers = network.layers(rgb_to_lab(cat)[None, :1])
print("layer      channels   cells     place (row, column)")
for name, layer in layers.items():
    where = (place[0, 0] + 0.5) / SPACING[name] - 0.5
    row, column = where.tolist()
    size = f"{layer.shape[2]} x {layer.shape[3]}"
    print(f"{name:10}{layer.shape[1]:7}   {size:10}{row:8.2f}, {column:.2f}")
print(f"together  {sum(layer.shape[1] for layer in layers.values()):7}")

# %% jupyter={"source_hidden": true}
shown = ("data", "conv1_1", "conv2_2", "conv3_2", "conv4_2", "conv5_2", "conv7")
fig, axes = panels(2, 4, (1.5, 1.6))
for ax, name in zip(axes, shown, strict=False):
    layer = layers[name][0]
    best = layer.flatten(1).std(dim=1).argmax()
    ax.imshow(layer[best].numpy(), cmap="gray")
    row, column = ((place[0, 0] + 0.5) / SPACING[name] - 0.5).tolist()
    ax.plot(column, row, "o", color="C3", mfc="none", markersize=9, markeredgewidth=2)
    ax.plot(column, row, ".", color="white", markersize=3)
    ax.set(xticks=[], yticks=[], title="")
    ax.set_title(f"{name}, 1 of {layer.shape[0]}", fontsize=8)
column_of = torch.cat([read_layer(layers[n], place, SPACING[n])[0, :, 0] for n in layers])
axes[7].plot(column_of, range(len(column_of)), color="black", linewidth=0.4)
axes[7].set(xlabel="activation", ylabel="channel", yticks=[0, 400, 800])
axes[7].set_title("hypercolumn, 913", fontsize=8)
axes[7].invert_yaxis()
show(
    fig,
    alt="Seven maps of the cat, from the sharp gray picture over edges to a coarse "
    "grid of 4 x 4 cells; a circle marks the same place in each. The eighth panel "
    "is a jagged line of 913 numbers.",
    caption="One channel of seven layers, the one that varies most, and the place of one "
    "pixel in each (circle). Read all channels there and you have its hypercolumn "
    "(last panel).",
)

# %% [markdown]
# In `conv5_1`, the place lies *between* cells: row 4.28 is a quarter of the way from cell 4 to cell 5. So a layer is read
# bilinearly, as a mix of its four nearest cells. In training the gradient goes back to the same four.
#
# ### Exercise 9.6 · Read between the cells
# ●●●○○ · 12 minutes
#
# (Optional.) Read one layer at one place. `row` and `column` are in pixels of the photo; pixel 0 has its middle at 0. Cell $i$
# covers the pixels from $i s$ to $(i + 1) s - 1$, where $s$ is the spacing, so its middle is at pixel $(i + 1/2) s - 1/2$.
# Beyond the middles of the outermost cells, take the values of those cells.
#
# <details><summary>Hint 1</summary>Turn the formula around: the place in cells is (row + 1/2) / s - 1/2. Keep it between 0 and
# the last cell.</details>
# <details><summary>Hint 2</summary>Let v be how far the place is past the top row of cells, u how far past the left column.
# First mix left and right in both rows, with 1 - u and u. Then mix the two rows, with 1 - v and v.</details>


# %%
@check("9.6")
def read_point(layer, row, column, spacing):
    """Bilinear value of a layer (C, h, w) at a place in pixels -> (C,)."""
    # BEGIN SOLUTION
    _, height, width = layer.shape
    y = min(max((row + 0.5) / spacing - 0.5, 0), height - 1)
    x = min(max((column + 0.5) / spacing - 0.5, 0), width - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    v, u = y - top, x - left
    upper = (1 - u) * layer[:, top, left] + u * layer[:, top, right]
    lower = (1 - u) * layer[:, bottom, left] + u * layer[:, bottom, right]
    return (1 - v) * upper + v * lower
    # END SOLUTION


# %%
by_hand = torch.cat([read_point(layers[n][0], 76, 42, SPACING[n]) for n in layers])
print(f"{len(by_hand)} numbers; largest difference from the library's: ", end="")
print(f"{(by_hand - column_of).abs().max():.0e}")

# %% [markdown]
# ## 7. 128 pixels are enough
#
# A hypercolumn for *every* pixel takes much memory. **Predict.** 12,417 numbers for each of 256 x 256 pixels, 4 bytes each: how
# many GB? And how much for 128 pixels, with their gradients?

# %%
channels = 1 + 2 * 64 + 2 * 128 + 3 * 256 + 3 * 512 + 3 * 512 + 2 * 4096
print(f"{channels:,} numbers: L, 13 convolutions, and two layers of 4,096")
print(f"all pixels, 4 bytes:   {channels * 256**2 * 4 / 1e9:.2f} GB")
print(f"all pixels, 2 bytes:   {channels * 256**2 * 2 / 1e9:.2f} GB")
print(f"128 pixels, 4 bytes and 4 for the gradient: {channels * 128 * 8 / 1e6:.1f} MB")

# %% [markdown]
# The paper says 13 MB, the last line, and 1.7 GB for all pixels (the *dense* form). Numbers of two bytes come near that, but
# the paper does not say what it counts.
#
# So they train on 128 pixels of each picture, drawn anew each time. What does that lose? At these pixels, nothing: the gradient
# is that of the same pixels read from the dense form. And the others? Below, a small untrained network looks at four toy
# scenes. Its gradient from a few random pixels of each, in 10 draws, is compared with that from all 256 places.
#
# **Predict.** What is the cosine between the two gradients, for 1 pixel and for 128? (1: the same direction, 0: nothing in
# common.)

# %%
torch.manual_seed(0)
small = HypercolumnNet(width=4, hidden=16).eval()  # eval: batch norm stands still
tiny = ToyWorld(32).scenes(4, seed=91)
tiny_L, tiny_rgb = tiny.lightness[:, None], tiny.rgb()
places = grid_points(32, 32, 2)  # (256, 2): the middles of 2 x 2 pixels
tiny_lab = rgb_to_lab(F.avg_pool2d(tiny_rgb, 2)).flatten(2)[..., None]  # (4, 3, 256, 1)


def gradient(loss):
    """Gradient of a loss with respect to all weights, one long list."""
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, small.parameters())])


# %%
chosen = torch.randperm(256)[:128]
some = tiny_lab[:, :, chosen]
of_dense = small.dense(tiny_L).flatten(2)[..., chosen]
of_sparse = small.at(tiny_L, places[chosen].expand(4, -1, -1))
one, other = (gradient(head.loss(z, some)) for z in (of_dense, of_sparse))
print(f"same 128 pixels, dense and sparse: {(one - other).norm() / one.norm():.0e} apart")

# %%
full = gradient(head.loss(small.dense(tiny_L).flatten(2), tiny_lab))
torch.manual_seed(1)
for number in (1, 8, 32, 128):
    cosines = []
    for _ in range(10):
        chosen = torch.randperm(256)[:number]
        answer = small.at(tiny_L, places[chosen].expand(4, -1, -1))
        found = gradient(head.loss(answer, tiny_lab[:, :, chosen]))
        cosines.append(F.cosine_similarity(found, full, dim=0).item())
    print(f"{number:4} pixels of each: mean cosine {sum(cosines) / 10:.2f}")

# %% [markdown]
# One pixel of each points roughly the right way (0.5 is an angle of 60 degrees), 32 nearly where all 256 do. What does that
# mean for a whole training, in the toy world (300 steps, each on 16 scenes of 48 x 48; one seed)?

# %%
spared = results["sparse"]  # python -m colorize.larsson sparse
print("pixels of a scene   loss    RMSE    PSNR   chroma")
for number, row in spared["rows"].items():
    print(f"{number:>17}{row['loss']:7.2f}{row['rmse']:8.3f}", end="")
    print(f"{row['psnr']:8.2f}{row['chroma']:9.1f}")
kept = spared["MB of hypercolumns of one photo of 256 x 256"]
print(f"memory for the way back, one photo of 256 x 256, {kept['channels']} channels:")
for name in ("128 places", "all places"):
    print(f"   {name}: {kept[name]:.1f} MB")

# %% [markdown]
# Even 1 pixel of each scene trains, 8 come close, and 64 do nearly as well as 576, a quarter of all. And 128 places of a photo
# need a five-hundredth of the memory.
#
# And when the whole picture is wanted? Reading between cells and the first fully connected layer are both linear, so their
# order may change: `network.dense` multiplies each coarse layer by its part of the weights *first*, and then enlarges the sums.
# No hypercolumn is ever made.
#
# ## 8. Train one
#
# Train a small one on the toy world, with 64 random pixels of each scene and the loss of equation 3. While it trains, it
# answers with logits and their places (`Sampled`); `sampled_loss` looks up the true colors there.

# %%
size = toyruns.size()  # the short run of the tests makes it smaller
torch.manual_seed(0)
toy_net = HypercolumnNet("hue_chroma", width=size.width // 2, hidden=64, points=64)


def whole(batch):
    """What goes in and what is right: L, and the whole scene in Lab."""
    lab = rgb_to_lab(batch[0])
    return lab[:, :1], lab


history = fit(
    toy_net,
    world,
    sampled_loss("hue_chroma"),
    steps=size.steps // 4,
    batch_size=size.batch_size,
    learning_rate=size.learning_rate,
    examples=whole,
)

# %%
scenes = world.scenes(100, seed=5_000_000)
L = scenes.lightness[:, None]
half_lab = rgb_to_lab(scenes.rgb())[..., ::2, ::2]  # (100, 3, S/2, S/2)
ideal = larsson.best("hue_chroma", world, scenes)  # exact, (100, 64, S, S)
floor = head.loss(ideal[..., ::2, ::2].flatten(2), half_lab.flatten(2)[..., None])
mean_c = huechroma.hue_chroma(scenes.rgb())[1].mean()
nothing = math.log(32) * (1 + 5 * mean_c)  # every bin 1/32
with torch.inference_mode():
    parts = [toy_net.eval()(part) for part in L.split(25)]
answer = torch.cat(parts)  # (100, 64, S/2, S/2)

# %% jupyter={"source_hidden": true} tags=["trained"]
show(
    training_curve(history.losses, None, floor.item(), "loss (nats)", 20),
    alt="The loss falls from 5 nats, steeply in the first 50 steps, then slowly "
    "toward a dashed line.",
    caption="The training. The dashed line is the least loss that a network can reach "
    "without knowing the colors.",
)

# %% tags=["trained"]
last = sum(history.losses[-20:]) / 20
print(f"loss {last:.2f} nats; {nothing:.1f} knows nothing,", end=" ")
print(f"{floor:.2f} is the least possible")
print("learned" if last < nothing / 2 else "NOT learned: train it again before you go on")
rows = {
    "gray": torch.zeros_like(scenes.ab),
    "this network": toy_net.readout(answer, L),
    "exact best answer": toy_net.readout(ideal, L),
}
for name, ab in rows.items():
    numbers = larsson.measured(ab, scenes.rgb())
    print(f"{name:18}RMSE {numbers['rmse']:.2f}, PSNR {numbers['psnr']:.1f} dB", end=", ")
    print(f"chroma {numbers['chroma']:.0f}")

# %% [markdown]
# In 300 steps the loss has gone nine tenths of the way from knowing nothing to the least possible. How far is the answer from
# the best one, kind by kind? (Total variation, lesson 4: 0 if two distributions are the same, 1 if they share nothing.)

# %% tags=["trained"]
kind = scenes.kind[:, ::2, ::2]
print("distance from the exact answer (total variation)   hue  chroma")
for name in ("sky", "grass", "wall", "apple", "plum", "balloon", "kite"):
    here = kind == world.kinds.index(name)
    apart = []
    for one, other in zip(
        answer.chunk(2, 1), ideal[..., ::2, ::2].chunk(2, 1), strict=True
    ):
        p, q = (z.softmax(dim=1).movedim(1, -1)[here].mean(dim=0) for z in (one, other))
        apart.append(0.5 * (p - q).abs().sum().item())
    print(f"{name:47}{apart[0]:7.2f}{apart[1]:8.2f}")

# %% jupyter={"source_hidden": true} tags=["trained"]
chosen = [0, 4, 9]
colored = {
    "true": scenes.ab,
    "exact": rows["exact best answer"],
    "network": rows["this network"],
}
fig, axes = panels(3, 1, (4.0, 1.6))
for ax, (name, ab) in zip(axes, colored.items(), strict=True):
    rgb = paint(L[chosen], ab[chosen])  # (3, 3, S, S)
    words = ", ".join(f"{in_lab(one):.0f}" for one in rgb)
    picture(ax, F.pad(rgb, (1, 1), value=1.0).movedim(0, 2).flatten(2), f"chroma {words}")
    name_row(ax, name)
show(
    fig,
    alt="Three toy scenes in three rows: true colors, the exact best answer, the "
    "small network. Sky and grass are right in all; in both lower rows balloons "
    "are gray and apples brown; the network's plums are duller.",
    caption="True colors; the best that any network can do, read out with fading; the "
    "network after its short training. Numbers: mean chroma of each scene.",
)

# %% [markdown]
# Frequent things of one color, such as sky and grass, are nearly exact. A kite is one pixel in a thousand: not learned. Walls
# are gray: their hue counts next to nothing in the loss, and the network has not bothered.
#
# ### On photos
#
# The shipped network `hypercolumns` has 756,464 numbers. It was trained for 1,900 steps on pictures of 32 and 64 pixels, 51
# minutes on two busy cores (its [card](../data/weights/hypercolumns.md)); the paper's VGG-16 saw 1.2 million photos ten times.
# It is used at T = 1: the paper has no temperature.
#
# **Predict.** How vivid will it be?

# %%
names = ("coffee", "stereo_motorcycle")
pair = {name: images.square(images.bundled(name), 160) for name in names}
out = {
    name: torch.from_numpy(colorizer.colorize(rgb, T=colorizer.temperature))
    for name, rgb in pair.items()
}
out = {name: rgb.movedim(-1, 0) / 255 for name, rgb in out.items()}  # (3, 160, 160)

# %% jupyter={"source_hidden": true}
row, titles = [], []
for name in names:
    row += [out[name], pair[name]]
    titles += [f"colored\n{in_lab(out[name]):.1f}", f"photo\n{in_lab(pair[name]):.1f}"]
show(
    pictures(row, titles, columns=4, inches=1.4),
    alt="The cup of coffee and the motorcycle, each in the network's colors and as "
    "taken. The network's cup is nearly gray, its motorcycle gray with a tint of brown.",
    caption="The network's colors and the photos, with the mean chroma. It is dull: a "
    "thirteenth of the coffee's chroma, half of the motorcycle's.",
)

# %% [markdown]
# Dull, and partly by design: median and fading stay near gray wherever the network is not sure, and a small network seldom is.
#
# ## 9. Their tables, in miniature
#
# Two tables of Larsson et al., small, on the toy world. One seed each: do not make much of a difference of 0.01. `python -m
# colorize.larsson spaces layers` repeats both, in some minutes.
#
# **What to predict** (their Table 1). A network may answer with a and b (`l2`), with two histograms of a and b
# (`lab_marginal`), with one joint histogram (`lab_joint`), or with hue and chroma. The column "exact" has the best possible
# answer of each form, read out. **Predict.** Which of the four has the smallest error there?

# %%
paper = (
    ".343 / 22.98, .318 / 24.25, .321 / 24.33, .328 / 24.30, .342 / 23.77, .299 / 24.45,"
)
print(f"{'RMSE / PSNR':27}{'exact':15}{'trained':16}paper, on photos")
pairs = zip(results["spaces"]["rows"].items(), paper.split(","), strict=True)
for (name, row), theirs in pairs:
    cells = [row.get(key) for key in ("best", "trained")]
    words = [f"{c['rmse']:.3f} / {c['psnr']:.1f}" if c else "" for c in cells]
    print(f"{name:27}{words[0]:15}{words[1]:16}{theirs.strip()}")

# %% [markdown]
# - **Exact**: L2 is first, since a measure of distance likes the mean (lesson 8). Bins cost something, the wide ones of 16 x 16
#   the most.
# - **Trained**, 300 steps: of the four, L2 falls from first to last, by both measures. The others keep their order in RMSE. So
#   short a training brings histograms nearer to their best than a regression; a longer one we have not run.
# - **Paper**: hue and chroma *with fading* are first, as in our trained column; without it they are last of the four. Not so
#   here, where fading hardly matters.
# - Histograms of 7 x 7 pixels do worse than single pixels. The paper saw no benefit, either.
#
# **Which layers** (their Table 2). **Predict.** What is worse, to leave out the first layers or the last ones?

# %%
paper = (
    ".299 / 24.45, .306 / 24.13, .302 / 24.45, .307 / 24.38, .323 / 24.22, .324 / 24.19"
)
print("the paper's name   channels   RMSE / PSNR, toy world   paper, on photos")
pairs = zip(results["layers"]["rows"].items(), paper.split(","), strict=True)
for (name, row), theirs in pairs:
    print(f"{name:19}{row['channels']:7}", end="      ")
    print(f"{row['rmse']:.3f} / {row['psnr']:.1f}            {theirs.strip()}")

# %% [markdown]
# The last layers alone do poorly, in both. But the toy world is no photo. Its things are small and sharp, so the early layers
# matter much; and what kind a thing is shows locally, so the last layers add nothing. On the paper's photos it costs more to
# leave out the last layers than the first.
#
# (Their Table 4, what the true histogram of a photo is worth, is in lesson 12.)
#
# **Beside other networks**, on the same 97 validation photos:

# %%
measured = read_results("networks")  # python -m colorize.measure --photos FOLDER NAME
print("                           RMSE   PSNR  chroma")
for name, row in (
    ("l2", "gray"),
    ("l2", "l2"),
    ("classification", "classification, T = 0.38"),
    ("hypercolumns", "hypercolumns, T = 1"),
):
    one = measured[name]["rows"][row]["numbers"]
    print(f"{row:26}{one['rmse']:5.2f}{one['psnr']:7.1f}{one['chroma']:8.1f}")

# %% [markdown]
# Our hypercolumns are on a par with our other networks: 6 % below gray in RMSE. Theirs are 26 % below gray on photos of six
# kinds of scenes: 0.211, where gray has 0.285, Deshpande et al. have 0.262, and Welsh et al. 0.353 (Table 3).
#
# ## What the papers say, what we measured
#
# | | paper (Larsson et al. 2016) | exact | this lesson |
# |---|---|---|---|
# | best thing to predict | hue and chroma with fading, 0.299; L2 0.318 (Table 1) | toy world: L2 0.098, hue and chroma 0.124 | toy world, 300 steps: 0.195; L2 0.250 |
# | fading | 0.342 to 0.299 (Table 5) | toy world: 0.125 to 0.124 | 97 photos: 0.442 to 0.401 |
# | fading as printed, max | (equation 5) | factor 1 to 1.04 | nothing fades: 0.442 |
# | high layers alone | 0.324 instead of 0.299 (Table 2) | | toy world: 0.325 instead of 0.195 |
# | patches of 7 x 7 as targets | no benefit (section 3.2) | | 0.234 instead of 0.195 |
# | memory of hypercolumns | 1.7 GB dense, 13 MB sparse (section 3.5) | 1.63 GB at 2 bytes; 12.7 MB | ours, 913 channels: 246 MB dense, 0.5 MB sparse |
# | all in all, RMSE of gray and network | 0.333, 0.293 (ctest10k, section 4) | | 0.43, 0.40, 97 photos |
#
# Photos and networks differ: compare directions only.
#
# **Take away**
# 1. What you ask for decides what can be repaired later. A histogram of hues tells when they disagree; a mean in ab does not.
# 2. A hypercolumn lets every layer speak about every pixel: the early ones say where, the late ones what.
# 3. Neighboring pixels say nearly the same. A few of them, drawn anew each time, train nearly as well as all.
#
# ## Questions
#
# <details><summary>Why is hue unstable near gray, and saturation unstable near black?</summary>Both divide by something that
# goes to 0 there: the hue by the chroma, the saturation of HSV by the largest channel. The bicone's chroma divides by nothing,
# so only the hue is unstable.</details>
# <details><summary>Could one take the median of a hue after all?</summary>You would have to cut the circle open somewhere. Cut
# at red, the median of 350 and 10 degrees lies anywhere between 10 and 350. Cut opposite the mean direction, it works; but
# where that direction is uncertain, so is the cut.</details>
# <details><summary>With fading, a certain gray and an uncertain hue look the same. Is that a loss?</summary>In the picture,
# yes. The histograms still tell the two apart. The paper draws uncertainty as the entropy of the hue times the chroma (section
# 4).</details>
# <details><summary>Does eta = 0.03 depend on the number of bins?</summary>Yes: the formula divides the length by K. With 16
# bins fading would begin below a length of 0.48 instead of 0.96. If you change K, change eta too.</details>
# <details><summary>VGG-16 had learned to name things in color photos. How can its first layer, with filters for R, G and B, see
# gray?</summary>Add the three filters. A gray picture has three equal channels, so the sum answers exactly as the three did.
# The paper "averages" and "rescales appropriately" (section 3.5): the factor is 3. (<code>gray_filters</code>; our network
# started from random weights.)</details>
# <details><summary>In a hypercolumn, a layer with values a hundred times larger drowns the others. How can you quiet it without
# changing the network's answer?</summary>Multiply the layer's weights and bias by m, and divide the weights of whoever reads it
# by m: a ReLU lets a positive factor pass. The paper takes m = 1 / sqrt(E[X<sup>2</sup>]), so that each layer's mean square is
# 1 (equations 7 and 8; <code>balance</code>). Our network has batch norm, which VGG-16 does not have, and needs none of
# this.</details>
# <details><summary>Sparse training draws pixels at random. Why not a fixed grid?</summary>A fixed grid never asks about the
# pixels between, so coarse layers would learn to be right on the grid alone. Random places ask about each pixel now and then,
# and on average the gradient is that of all pixels.</details>

# %%
check.scorecard()
