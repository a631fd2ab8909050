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
# # Lesson 6 · From a distribution to one color
#
# **A network gives 313 probabilities for a pixel. Which one color do you paint?**
#
# Lesson 4 trained a network that answers with a distribution. A picture needs one color for each pixel. The step between the
# two, the *readout*, is a line of code and needs no training. It decides whether the picture is gray, speckled, torn or vivid.
#
# After this lesson you can
# - read a distribution in five ways: mean, mode, median, sample, annealed mean;
# - say how each of them fails, and on which distributions;
# - choose a temperature, and say by which criterion you chose it;
# - draw a map of what a network is unsure of;
# - find three bugs of decoders by their symptoms.
#
# | to read and solve | to run | needs |
# |---|---|---|
# | 90 minutes, 5 exercises | 1 to 2 minutes, most of it one training | CPU only, no download |
#
# You should know the 313 bins and soft codes (lesson 2), the toy world (lesson 3) and the classification loss (lesson 4).
# How exercises work: replace the line `raise NotImplementedError` by your answer and run the cell. Whatever the badge
# says, you can go on. Cells that only draw are folded; a click on the three dots opens them.

# %%
import time

import ipywidgets
import torch
import torch.nn.functional as F

from colorize import bins, decode, images, toyruns
from colorize.check import check
from colorize.colorizer import Colorizer
from colorize.decode import paint
from colorize.figures import (
    ab_plane,
    name_row,
    panels,
    picture,
    pictures,
    show,
    training_curve,
)
from colorize.lab import rgb_to_lab, to_gray
from colorize.losses import classification
from colorize.metrics import auc, mean_chroma
from colorize.networks import SmallNet
from colorize.prior import color_prior
from colorize.toyworld import ToyWorld
from colorize.training import fit
from colorize.widgets import slider_demo, temperature_demo

# %% [markdown]
# ## 1. A network that answers with probabilities
#
# The toy world again: an apple is red or green, with probability 1/2 each. A plum is violet (0.7) or yellow (0.3). A balloon
# has one of six hues. The gray picture shows what a thing is, but never its color. The training is that of lesson 4, with the
# same seed.

# %%
size = toyruns.size()
world = ToyWorld(size.scene)
torch.manual_seed(0)
network = SmallNet(outputs=313, width=size.width)
history = fit(
    network, world, classification(), size.steps, size.batch_size, size.learning_rate
)

# %% jupyter={"source_hidden": true} tags=["trained"]
floor = world.cross_entropy_floor(world.scenes(200, seed=1).kind, soft=True)
show(
    training_curve(history.losses, toyruns.band("classification"), floor, "loss (nats)"),
    alt="The loss falls from nearly 5 nats steeply at first, then slowly, toward a "
    "dashed line, the least that is possible.",
    caption="The training, over the narrow band of our three seeds (at full size). The "
    "dashed line is the least loss that a network can reach without knowing the colors.",
)

# %% tags=["trained"]
last = sum(history.losses[-50:]) / 50
print(f"loss {last:.2f} nats; 5.75 knows nothing, {floor:.2f} is the least possible")
print("learned" if last < 5.75 / 2 else "NOT learned: train it again before you go on")

# %% [markdown]
# Now 100 scenes that the network has not seen. It looks at them once, and its answers stay in memory. Nothing below trains it
# or runs it again: all that follows is *reading*. The answers are logits, at half the resolution of the scenes; the softmax
# over the 313 bins turns them into probabilities.

# %%
scenes = world.scenes(100, seed=3_000_000)
L = scenes.lightness[:, None]  # (100, 1, S, S)
with torch.inference_mode():
    logits = torch.cat([network(part) for part in L.split(25)])  # (100, 313, S/2, S/2)
step = network.stride
true_ab = scenes.ab[:, :, ::step, ::step]  # (100, 2, S/2, S/2), as are the next two
kind, thing = scenes.kind[:, ::step, ::step], scenes.thing[:, ::step, ::step]
centers = bins.gamut_bins()  # (313, 2)
chosen = [0, 25, 40, 54]  # the scenes that are shown


# %% jupyter={"source_hidden": true}
def chroma(image):
    """Mean chroma of a picture (3, H, W)."""
    return mean_chroma(rgb_to_lab(image[None])[:, 1:]).item()


def show_rows(rows, alt, caption):
    """A row of the chosen scenes for each name and ab; each with its chroma above it."""
    fig, axes = panels(len(rows), len(chosen), (1.9, 2.1))
    for row, (name, ab) in zip(axes.reshape(len(rows), -1), rows.items(), strict=True):
        for ax, image in zip(row, paint(L[chosen], ab), strict=True):
            picture(ax, image, f"chroma {chroma(image):.1f}")
        name_row(row[0], name)
    show(fig, alt, caption)


show_rows(
    {"gray": true_ab[chosen] * 0, "true colors": true_ab[chosen]},
    alt="Four toy scenes with apples, plums and balloons, in gray above and in their "
    "colors below.",
    caption="Four of the scenes: what the network sees, and the colors that were drawn.",
)

# %% [markdown]
# Pick one pixel in the middle of an apple, one of a plum, one of a balloon. Each has a distribution over 313 colors. The exact
# best answer is known: `Palette.posterior(soft=True)`, the mean of the palette's soft codes (lesson 4).
#
# **Predict.** How many lumps will you see for each?


# %%
def middle(name):
    """Scene, row and column of a pixel well inside a thing of that kind."""
    here = (kind == world.kinds.index(name)).float()[:, None]
    inside = F.avg_pool2d(here, 5, stride=1, padding=2)[:, 0]
    return [int(i) for i in torch.unravel_index(inside.argmax(), inside.shape)]


pixels = {name: middle(name) for name in ("apple", "plum", "balloon")}
answers = {name: logits[s, :, y, x] for name, (s, y, x) in pixels.items()}  # (313,) each

# %% jupyter={"source_hidden": true} tags=["trained"]
fig, axes = panels(1, 3, (3.6, 3.5))
for ax, (name, answer) in zip(axes, answers.items(), strict=True):
    ab_plane(ax, name)
    p, exact = answer.softmax(dim=0), world.palette(name).posterior(soft=True)
    ax.scatter(
        *centers.T, s=500 * p, facecolor="none", edgecolor="black", label="network"
    )
    ax.scatter(
        *centers[exact > 0.01].T, s=14, marker="x", color="black", label="exact > 0.01"
    )
    ax.set(xlim=(-75, 85), ylim=(-65, 85))
axes[0].legend(loc="lower right", fontsize=8, frameon=False)
show(
    fig,
    alt="Three plots of the ab plane with the probabilities of an apple pixel in two "
    "lumps, of a plum pixel in two, of a balloon pixel in six.",
    caption="Circles: the network's probability of each bin, by area. Crosses: bins that "
    "the exact answer gives more than 0.01. Two lumps, two lumps of unequal size, six.",
)

# %% [markdown]
# ## 2. The mean
#
# The first idea: all colors, each weighted by its probability. With $z_q$ the logit and $c_q$ the center of bin $q$,
#
# $$ p_q = \frac{e^{z_q}}{\sum_j e^{z_j}}, \qquad ab = \sum_q p_q\, c_q. $$
#
# ### Exercise 6.1 · The mean
# ●●○○○ · 8 minutes
#
# Return the mean color of each pixel.
#
# <details><summary>Hint 1</summary>The bins are dimension 1. The softmax runs over it, and so does the sum.</details>
# <details><summary>Hint 2</summary><code>torch.einsum("nqhw,qc->nchw", p, centers)</code> multiplies and sums over q.</details>


# %%
@check("6.1")
def mean_color(logits, centers):
    """Mean of each pixel: (N, Q, H, W), centers (Q, 2) -> ab (N, 2, H, W)."""
    # BEGIN SOLUTION
    p = torch.softmax(logits, dim=1)
    return torch.einsum("nqhw,qc->nchw", p, centers)
    # END SOLUTION


# %% [markdown]
# **Predict.** The two apple colors have chroma 65 and 53, the six of a balloon 30 each. What chroma does their mean have?


# %%
def of_kind(values, name):
    """Mean of a map (N, H, W) over all pixels of a kind of thing."""
    return values[kind == world.kinds.index(name)].mean().item()


# %% tags=["trained"]
mean_ab = mean_color(logits, centers)
print("chroma     exact  network")
for name in ("apple", "plum", "tulip", "balloon", "lemon"):
    best = world.palette(name).annealed_mean(1, soft=True).norm().item()
    print(f"{name:9} {best:6.0f} {of_kind(mean_ab.norm(dim=1), name):8.0f}")

# %% [markdown]
# The mean of red and green is brown, and no apple is brown. The six hues of a balloon cancel. The lemon keeps its color:
# where there is nothing to choose, the mean is right.
#
# **Failure: gray and brown.** *Symptom:* things that can have several colors come out dull. *Cause:* a mean of colors lies
# between them, nearer to gray. A network trained on L2 aims at nothing else (lesson 3). *How to notice:* compare the chroma
# with that of the true colors, kind by kind.
#
# ## 3. The mode
#
# The second idea: only the likeliest color. It is always a color of the list.
#
# ### Exercise 6.2 · The mode
# ●○○○○ · 5 minutes
#
# Return the color of the bin with the largest logit.
#
# <details><summary>Hint 1</summary>The softmax keeps the order: the largest logit has the largest probability.</details>
# <details><summary>Hint 2</summary><code>centers[number]</code> with number (N, H, W) has shape (N, H, W, 2): the last
# dimension has to move to place 1.</details>


# %%
@check("6.2")
def mode_color(logits, centers):
    """Color of the likeliest bin: (N, Q, H, W), centers (Q, 2) -> ab (N, 2, H, W)."""
    # BEGIN SOLUTION
    number = logits.argmax(dim=1)  # (N, H, W)
    return centers[number].movedim(-1, 1)
    # END SOLUTION


# %% [markdown]
# **Predict.** An apple is red or green, 0.5 each. The network is never exactly right: at one pixel it says 0.51, at the next
# 0.49. What does its mode paint?

# %% tags=["trained"]
mode_ab = mode_color(logits, centers)
show_rows(
    {"true": true_ab[chosen], "mean": mean_ab[chosen], "mode": mode_ab[chosen]},
    alt="Four scenes three times: true colors, the mean with brown apples and gray "
    "balloons, the mode with vivid colors.",
    caption="The mean: brown apples, gray balloons. The mode: no color that is not in "
    "the list of bins, and balloons like patchwork.",
)

# %% [markdown]
# A thing in the toy world has one color. So every jump of color inside a thing is an error. Count them: a **seam** is a pair of
# neighboring pixels of one thing whose colors are more than 20 ab units apart.


# %%
def neighbors(x, dim):
    """Each pixel and the next one along a dimension."""
    n = x.shape[dim] - 1
    return x.narrow(dim, 0, n), x.narrow(dim, 1, n)


def seams(ab, name=None, limit=20.0):
    """Percentage of the pairs within one thing (of one kind) that are seams."""
    found = []
    for dim in (2, 3):
        one, other = neighbors(ab, dim)
        mine, next_thing = neighbors(thing, dim - 1)
        inside = mine == next_thing
        if name is not None:
            inside &= neighbors(kind, dim - 1)[0] == world.kinds.index(name)
        found.append(((one - other).norm(dim=1) > limit)[inside])
    return 100 * torch.cat(found).float().mean().item()


# %% tags=["trained"]
print("seams, %   all    sky   plum  apple  balloon")
for word, ab in (("true", true_ab), ("mean", mean_ab), ("mode", mode_ab)):
    shares = [seams(ab, name) for name in (None, "sky", "plum", "apple", "balloon")]
    print(f"{word:8}" + "".join(f"{share:6.1f} " for share in shares))

# %% [markdown]
# **Failure: seams.** *Symptom:* patches with hard borders inside one thing. *Cause:* where two colors are about equally likely,
# a small change of the probabilities flips the color. Sky, with one color, has no such choice. *How to notice:* count seams
# where there is no edge in the gray picture. (The few seams of the mean lie at the rims of things, where the network mixes up
# neighbors.)
#
# ## 4. A sample
#
# The third idea: draw a color at random, for an apple red with probability 1/2. `decode.sample` does it in two ways.
# *Independent*: every pixel draws for itself. *Shared*: all pixels of a picture use the same random numbers, so that equal
# distributions give equal colors.
#
# (How? The Gumbel trick: to each of the 313 logits add a random number $-\ln(-\ln u)$, with $u$ uniform between 0 and 1, and
# take the largest sum. Bin $q$ wins with exactly its probability. Shared means the same 313 numbers at all pixels.)
#
# **Predict.** What does an apple look like, drawn pixel by pixel?


# %%
def draw(seed, shared):
    """One sample of the shown scenes, with the same random numbers at each call."""
    random = torch.Generator().manual_seed(seed)
    return decode.sample(logits[chosen], generator=random, shared=shared)


# %% jupyter={"source_hidden": true} tags=["trained"]
show_rows(
    {
        "independent": draw(0, shared=False),
        "shared, seed 1": draw(1, shared=True),
        "shared, seed 2": draw(2, shared=True),
    },
    alt="Four scenes three times: speckled where each pixel draws for itself; two shared "
    "draws have nearly even colors that differ from row to row.",
    caption="Above: confetti, even in the sky, whose soft code has five bins. Below: "
    "nearly even colors; other random numbers give other colors. Balloons of one picture "
    "are alike.",
)

# %% [markdown]
# **Failure: speckle.** *Symptom:* confetti, most of all in things that can have many colors. *Cause:* each pixel decides by
# itself, although neighbors belong together. *How to notice:* count seams.

# %% tags=["trained"]
random = torch.Generator().manual_seed(0)
independent_ab = decode.sample(logits, generator=random)
shared_ab = decode.sample(logits, generator=random, shared=True)
for name, ab in (("independent", independent_ab), ("shared", shared_ab)):
    print(f"{name:11} {seams(ab):5.1f} % seams, chroma {mean_chroma(ab).mean():.0f}")
print(f"true colors    0 % seams, chroma {mean_chroma(true_ab).mean():.0f}")

# %% [markdown]
# A shared sample is coherent, and arbitrary: another seed, another picture. Could it be a true scene? Look at scenes with two
# apples. True colors are drawn apart, so the two are alike in about half of the scenes.


# %%
def apple_pairs(ab):
    """How often two apples of a scene are both red or both green; and how many pairs."""
    alike = []
    for s in range(len(ab)):
        apples = (scenes.kinds[s] == world.kinds.index("apple")).nonzero().flatten()
        reds = [(ab[s, 0][thing[s] == t] > 8).float().mean() for t in apples]
        reds = [bool(red > 0.5) for red in reds if red.isfinite()]
        alike += [reds[0] == reds[1]] if len(reds) > 1 else []
    return sum(alike) / len(alike), len(alike)


# %% tags=["trained"]
for name, ab in (("true colors", true_ab), ("shared sample", shared_ab)):
    share, pairs = apple_pairs(ab)
    print(f"{name:13} alike in {100 * share:3.0f} % of {pairs} scenes with two apples")

# %% [markdown]
# A shared sample nearly always makes the two apples alike: the network says the same of both, and both meet the same random
# numbers. A distribution for each pixel does not say which pixels belong together. Independent draws tear things apart, shared
# draws tie together what is free. Neither is a sample of the true world.
#
# ## 5. The median
#
# Larsson, Maire and Shakhnarovich (2016) consider the median, too: the value with half of the probability on either side. It
# needs an order, so it is taken for a and for b separately. Sum the probabilities of all bins with the same a: this is the
# *marginal* of a, one number for each of its 20 levels.
#
# The median of 20 numbers would jump in steps of 10. So the probability of a level is spread evenly over the interval around
# it: that of $a = 10$ over 5 to 15. With $a_k$ the value of level $k$, $p_k$ its probability and $F$ the sum of all levels
# below it, the sum passes 1/2 at
#
# $$ a_k - 5 + 10\, \frac{1/2 - F}{p_k} \quad\text{for the } k \text{ with } F < 1/2 \le F + p_k. $$
#
# ### Exercise 6.3 · The median
# ●●●○○ · 15 minutes
#
# Return the median of each row of `p`. The levels are evenly spaced, not always by 10.
#
# <details><summary>Hint 1</summary><code>p.cumsum(dim=1)</code> is the sum up to and including each level. Counting the
# entries below 1/2 gives k.</details>
# <details><summary>Hint 2</summary>With <code>k</code> of shape (M, 1), <code>total.gather(1, k)</code> and
# <code>p.gather(1, k)</code> pick the numbers of level k. Below it lies their difference.</details>


# %%
@check("6.3")
def marginal_median(p, levels):
    """Median of each row: p (M, K) sums to 1 in each row, levels (K,) rising -> (M,)."""
    # BEGIN SOLUTION
    spacing = levels[1] - levels[0]
    total = p.cumsum(dim=1)
    k = (total < 0.5).sum(dim=1, keepdim=True)  # (M, 1)
    mass = p.gather(1, k)
    below = total.gather(1, k) - mass
    median = levels[k] - spacing / 2 + spacing * (0.5 - below) / mass
    return median[:, 0]
    # END SOLUTION


# %%
def median_color(p):
    """Median of a and of b: probabilities (M, 313) -> (M, 2)."""
    found = []
    for axis in centers.T:
        levels, level = axis.unique(return_inverse=True)
        marginal = torch.zeros(len(p), len(levels)).index_add_(1, level, p)
        found.append(marginal_median(marginal, levels))
    return torch.stack(found, dim=1)


# %%
def median_map(logits):
    """Median of every pixel: (N, 313, h, w) -> (N, 2, h, w)."""
    p = logits.softmax(dim=1).movedim(1, -1)  # (N, h, w, 313)
    return median_color(p.flatten(0, 2)).view(*p.shape[:3], 2).movedim(-1, 1)


# %% [markdown]
# **Predict.** For a plum (violet 0.7, yellow 0.3): is the median nearer to violet than the mean? And for a balloon of six
# equally likely hues?

# %% jupyter={"source_hidden": true}
print(f"{'exact a, b':9}{'mean':>11}{'median':>12}{'mode':>12}")
for name in ("plum", "roof", "tulip", "balloon"):
    palette = world.palette(name)
    exact = palette.posterior(soft=True).float()
    row = palette.annealed_mean(1, True), median_color(exact[None])[0]
    row = torch.stack((*row, palette.annealed_mean(0, True))).round() + 0.0  # no "-0"
    print(f"{name:9}" + "".join(f"{a:+7.0f} {b:+4.0f}" for a, b in row.tolist()))

# %% [markdown]
# With a majority, the median stands with it: the plum's is close to violet, the tulip's to gray, where the mean lies in
# between. Without one it is no better than the mean: half of the balloons have a < 0, half have b < 0, and the two medians meet
# in gray. (The two medians together need not even make a color that occurs.)
#
# ## 6. The annealed mean
#
# Zhang, Isola and Efros (2016) take a path between mean and mode. Divide the logits by a number $T$, the temperature, then
# take the mean:
#
# $$ ab = \sum_q c_q \frac{e^{z_q/T}}{\sum_j e^{z_j/T}} $$
#
# $T = 1$ is the mean. A smaller $T$ makes likely colors likelier, and $T \to 0$ leaves the mode. (It is the formula of lesson
# 2, with $p_q^{1/T} / \sum_j p_j^{1/T}$: to raise a probability to a power is to multiply its logarithm.)
#
# ### Exercise 6.4 · The annealed mean
# ●●○○○ · 10 minutes
#
# Write it. Mind large logits: even $e^{10/0.1}$ is more than a float32 can hold.
#
# <details><summary>Hint 1</summary>It is exercise 6.1 with one change.</details>
# <details><summary>Hint 2</summary><code>torch.softmax</code> subtracts the largest value before it takes exponentials. If you
# write the exponentials yourself, do the same.</details>


# %%
@check("6.4")
def annealed_mean(logits, centers, T=0.38):
    """Annealed mean: (N, Q, H, W), centers (Q, 2), T above 0 -> ab (N, 2, H, W)."""
    # BEGIN SOLUTION
    sharper = torch.softmax(logits / T, dim=1)
    return torch.einsum("nqhw,qc->nchw", sharper, centers)
    # END SOLUTION


# %% [markdown]
# What does it do to a tie, and what to a majority? No network is needed for that: `Palette.annealed_mean(T, soft=True)` is
# what a perfect one would give.
#
# **Predict.** At T = 0.14: is an apple still brown? Is a plum violet? Is a tulip (gray 0.85, pink 0.15) more colorful than
# at T = 1?

# %%
LADDER = (1, 0.77, 0.58, 0.38, 0.29, 0.14, 0)
KINDS = ("apple", "plum", "tulip", "balloon", "sky")


def exact_path(name):
    """Annealed means of the exact answer, one for each T of the ladder: (7, 2)."""
    palette = world.palette(name)
    return torch.stack([palette.annealed_mean(T, soft=True) for T in LADDER])


def readout(T):
    """Your annealed mean of all scenes; at T = 0 your mode."""
    return annealed_mean(logits, centers, T) if T > 0 else mode_color(logits, centers)


ladder_ab = {T: readout(T) for T in LADDER}

# %% jupyter={"source_hidden": true} tags=["trained"]
fig, axes = panels(1, 2, (5.0, 4.2))
ab_plane(axes[0], "exact annealed means, T from 1 to 0.14")
axes[0].set(xlim=(-50, 65), ylim=(-45, 60))
axes[1].set(xlabel="T", ylabel="chroma (ab units)", title="chroma over T")
for name, marker in zip(KINDS, "os^Dv", strict=True):
    exact, palette = exact_path(name), world.palette(name)
    axes[0].plot(*exact[:-1].T, marker=marker, color="black", markersize=4, linewidth=1)
    place = (-18, 8) if name == "balloon" else (6, 5)
    axes[0].annotate(name, exact[0], place, textcoords="offset points")
    fine = torch.linspace(0.02, 1, 50).tolist()
    curve = [palette.annealed_mean(T, soft=True).norm() for T in fine]
    axes[1].plot(fine, curve, color="black", linewidth=1)
    axes[1].plot(LADDER, exact.norm(dim=1), marker, color="black", label=name)
    ours = [of_kind(ladder_ab[T].norm(dim=1), name) for T in LADDER]
    axes[1].plot(LADDER, ours, marker=marker, color="C1", linestyle=":", mfc="white")
axes[1].legend(frameon=False, fontsize=8)
show(
    fig,
    alt="Left: the plum's color moves from a grayish to a full violet as T falls, those "
    "of apple and balloon hardly move. Right: chroma over T, exact and of the network.",
    caption="Left: each name stands at T = 1. From there the plum walks to its majority, "
    "the tulip to gray; apple and balloon stay. Right: black and solid is exact, dotted "
    "with white markers the network (mean over its pixels). The exact apple and balloon "
    "jump, at T = 0 and not before.",
)

# %% tags=["trained"]
print("T      " + "".join(f"{T:>7}" for T in LADDER))
for name in KINDS:
    exact = exact_path(name).norm(dim=1).tolist()
    ours = [of_kind(ladder_ab[T].norm(dim=1), name) for T in LADDER]
    print(f"{name:8}" + "".join(f"{c:7.0f}" for c in exact) + "  exact chroma")
    print(" " * 8 + "".join(f"{c:7.0f}" for c in ours) + "  network")

# %% [markdown]
# Three things to see in the exact lines.
#
# - **A majority wins.** The plum turns violet: with T = 0.38, 7 against 3 becomes $7^{2.6}$ against $3^{2.6}$, about 9 to 1.
# - **A tie stays a tie.** Equal numbers have equal powers. The exact apple is brown at every T above 0, and the balloon gray.
#   At T = 0, `argmax` takes the first of the equal bins: the order of a list chooses the color.
# - **Smaller T is not always more vivid.** The tulip's majority is gray, and annealing removes its pink.
#
# And one in the network: its apples and balloons *do* gain chroma. Look at what it thinks of apples.

# %% tags=["trained"]
red = logits.softmax(dim=1)[:, centers[:, 0] > 8].sum(dim=1)  # right of the mean a
here = red[kind == world.kinds.index("apple")]
low, middle_red, high = here.quantile(torch.tensor([0.1, 0.5, 0.9])).tolist()
print(f"red, in 8 of 10 apple pixels: {low:.2f} to {high:.2f}, median {middle_red:.2f}")
print(f"{high:.3f} against {1 - high:.3f}, to the power 1 / 0.14: ", end="")
print(f"{(high / (1 - high)) ** (1 / 0.14):.0f} to 1")

# %% [markdown]
# Nobody can know an apple's color; the network's small error about it is raised to a power. What annealing adds to a tie is not
# knowledge. It is amplified noise.
#
# ## 7. Side by side
#
# All readouts of one answer, on toy scenes and on a photo. The photo is answered by `rebalanced`, the network of lesson 5,
# which has not seen it.
#
# **Predict.** Which readout is nearest to the true colors of the toy scenes, as a root mean square?


# %%
def rms(ab, truth):
    """Root mean square of the distance from the true colors, in ab units."""
    return (ab - truth).square().sum(dim=1).mean().sqrt().item()


toy = {
    "mean": mean_ab,
    "median": median_map(logits),
    "annealed, T = 0.38": ladder_ab[0.38],
    "mode": mode_ab,
    "sample, shared": shared_ab,
    "sample, independent": independent_ab,
}

# %% tags=["trained"]
print(f"{'':20} distance  chroma   seams")
exact_mean = world.mean_ab(kind)
for name, ab in (("exact mean", exact_mean), *toy.items(), ("true colors", true_ab)):
    numbers = rms(ab, true_ab), mean_chroma(ab).mean(), seams(ab)
    print("{:20} {:8.1f} {:7.1f} {:6.1f} %".format(name, *numbers))

# %%
colorizer = Colorizer.load("rebalanced")
photos = torch.stack(
    [images.square(images.bundled(name), 256) for name in images.BUNDLED]
)  # (5, 3, 256, 256)
gray_photo = to_gray(photos[0])
lightness, answer = colorizer.answer(gray_photo)  # L, and logits (1, 313, 64, 64)
random = torch.Generator().manual_seed(0)
astronaut = {
    "mean": mean_color(answer, centers),
    "median": median_map(answer),
    "T = 0.38": annealed_mean(answer, centers, 0.38),
    "mode": mode_color(answer, centers),
    "shared sample": decode.sample(answer, generator=random, shared=True),
    "independent": decode.sample(answer, generator=random),
}

# %% jupyter={"source_hidden": true} tags=["trained"]
found = {name: paint(lightness, ab)[0] for name, ab in astronaut.items()}
found = {"gray": gray_photo, **found, "photo": photos[0]}
show(
    pictures(
        list(found.values()),
        [f"{name}\nchroma {chroma(image):.1f}" for name, image in found.items()],
        columns=4,
        inches=2.1,
    ),
    alt="The astronaut photo in gray, read out in six ways, and the original. The mean "
    "is sepia, the mode has spots, the independent sample is speckled all over.",
    caption="The mean is sepia, the mode has spots, the independent draw is confetti. "
    "The shared draw is coherent in places, and an odd opinion.",
)

# %% [markdown]
# The mean is nearest, and it must be: of all answers given without knowing which color was drawn, the mean has the smallest
# expected squared distance. The first line of the table is the best possible; the network comes close. A sample has the right
# chroma and more than twice the squared distance: the true color is one draw, the sample is another.
#
# So distance alone picks the dullest of the six.
#
# ## 8. The slider
#
# **Predict.** Which things change when you move from T = 1 down, and which do not?


# %%
three = chosen[:3]


def side_by_side(ab):
    """Colors of the three scenes (3, 2, h, w) -> one wide picture (3, S, 3 S)."""
    return torch.cat(list(paint(L[three], ab)), dim=2)


def at_temperature(T):
    """What the slider shows: a picture, and a line of text."""
    image = side_by_side(annealed_mean(logits[three], centers, T))
    return image, f"T = {T:.2f}, mean chroma {chroma(image):.1f}"


slider = ipywidgets.FloatSlider(0.38, min=0.05, max=1.0, step=0.01, description="T")
slider_demo(
    at_temperature, slider, "toy-temperature", "Three toy scenes, annealed", width=576
)

# %% [markdown]
# The same without a kernel, for one of the scenes, at the seven temperatures of a figure in KTH's reproduction of the
# paper:


# %% jupyter={"source_hidden": true} tags=["trained"]
def show_ladder(steps, truth, last, alt, caption):
    """One picture at each T of the ladder, and the true one; the chroma above each."""
    names = [*(f"T = {T:g}" for T in LADDER), last]
    titles = [
        f"{name}\nchroma {chroma(image):.1f}"
        for name, image in zip(names, (*steps, truth), strict=True)
    ]
    show(pictures([*steps, truth], titles, columns=4, inches=1.9), alt, caption)


scene = [chosen[1]]
show_ladder(
    [paint(L[scene], ladder_ab[T][scene])[0] for T in LADDER],
    paint(L[scene], true_ab[scene])[0],
    "true",
    alt="A toy scene at seven temperatures and in its true colors; apple and balloons "
    "are dull at T = 1 and vivid at T = 0.",
    caption="The plum turns violet early (this one was yellow, its rarer color). Apple "
    "and balloons stay dull for long, and at T = 0 they break into patches.",
)

# %% [markdown]
# Now the photo. **Predict.** Is there a T between 0 and 1 at which it has the chroma of the original?

# %%
temperature_demo(colorizer, gray_photo, name="photo-temperature")

# %% jupyter={"source_hidden": true} tags=["trained"]
show_ladder(
    [colorizer.paint(lightness, answer, T)[0] for T in LADDER],
    photos[0],
    "photo",
    alt="The astronaut photo colored at seven temperatures, and the original; colors "
    "grow stronger and patchier as T falls.",
    caption="From left to right and down: each step is more colorful and less smooth; at "
    "T = 0 there are spots. Last the original.",
)

# %% [markdown]
# No. Even at T = 1 this photo comes out more colorful than it was, with a yellow wall that was nearly gray: rare colors counted
# more in the training, and the network is wrong about the wall. A readout can make an answer duller or more vivid. It cannot
# make it right.
#
# ## 9. Which T?
#
# Somebody has to choose. Zhang, Isola and Efros chose 0.38, by eye. Here are three criteria that can be computed. Before
# you look, **predict** the T that each of them picks:
#
# 1. the smallest distance from the true color, as a root mean square over all pixels;
# 2. a mean chroma equal to that of the true colors;
# 3. the fewest seams.

# %%
TEMPERATURES = (1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.38, 0.3, 0.2, 0.14, 0.1, 0.05)

toy_rows = []
for T in TEMPERATURES:
    ab = readout(T)
    toy_rows.append((T, rms(ab, true_ab), mean_chroma(ab).mean().item(), seams(ab)))
toy_chroma = mean_chroma(true_ab).mean().item()


# %%
def choose(rows, wanted):
    """The T of the smallest distance, and the T whose chroma is nearest to the wanted."""
    nearest = min(rows, key=lambda row: abs(row[2] - wanted))
    return min(rows, key=lambda row: row[1])[0], nearest[0]


# %% tags=["trained"]
print("toy scenes    T   distance  chroma   seams")
for T, distance, c, share in toy_rows:
    print(f"{T:15.2f} {distance:10.2f} {c:7.1f} {share:6.1f} %")
near, vivid = choose(toy_rows, toy_chroma)
print(
    f"true chroma {toy_chroma:.1f}: nearest at T = {vivid}; smallest distance: T = {near}"
)

# %% [markdown]
# Distance picks T = 1, and so do seams. Chroma picks a T near the other end. None picks 0.38. From 1 to 0.38, chroma gains
# about two thirds of what it lacks, distance grows by less than a tenth, seams about double. Nothing says how much color is
# worth how much distance.
#
# And be careful with a mean over all pixels. In the table of section 6 the chroma of the sky rises from 29 to 32, although the
# sky has one color. A small T moves it from (-7, -28) to the center of its bin, (-10, -30). And the sky is a large part of each
# scene:

# %% tags=["trained"]
gain = ladder_ab[0.38].norm(dim=1) - ladder_ab[1].norm(dim=1)  # (100, S/2, S/2)
of_sky = gain[kind == world.kinds.index("sky")].sum() / gain.sum()
print(
    f"chroma gained from T = 1 to 0.38: {gain.mean():.2f}, {of_sky:.0%} of it in the sky"
)

# %% [markdown]
# About half of the gain is the rounding of the sky.
#
# And on photos? Five are few: read this as an example of how to choose, not as the answer. AuC asks how near to the truth the
# pixels are; in the rebalanced AuC rare colors count as much as frequent ones (lessons 5 and 8).

# %%
photo_logits = torch.cat([colorizer.answer(photo)[1] for photo in photos])
photo_ab = rgb_to_lab(photos)[:, 1:]  # (5, 2, 256, 256)
rarity = 1 / color_prior(photo_ab)[bins.nearest_bin(photo_ab)]  # (5, 256, 256)
photo_rows = []
for T in TEMPERATURES:
    ab = F.interpolate(decode.annealed_mean(photo_logits, T), (256, 256), mode="bilinear")
    score = 100 * auc(ab, photo_ab), 100 * auc(ab, photo_ab, rarity)
    photo_rows.append((T, rms(ab, photo_ab), mean_chroma(ab).mean().item(), *score))

# %% tags=["trained"]
print("photos        T   distance  chroma   AuC   rebalanced AuC")
for T, distance, c, plain, rebalanced in photo_rows:
    print(f"{T:15.2f} {distance:10.2f} {c:7.1f} {plain:6.1f} {rebalanced:8.1f}")
near, vivid = choose(photo_rows, mean_chroma(photo_ab).mean().item())
print(f"gray: distance {rms(photo_ab * 0, photo_ab):.2f}, AuC ", end="")
print(f"{100 * auc(photo_ab * 0, photo_ab):.1f} and ", end="")
print(f"{100 * auc(photo_ab * 0, photo_ab, rarity):.1f}")
print(f"true chroma {mean_chroma(photo_ab).mean():.1f}: nearest at T = {vivid}; ", end="")
print(f"smallest distance: T = {near}")

# %% jupyter={"source_hidden": true} tags=["trained"]
fig, axes = panels(1, 2, (4.6, 3.2))
true_chroma = toy_chroma, mean_chroma(photo_ab).mean().item()
for ax, rows, true, title in zip(
    axes, (toy_rows, photo_rows), true_chroma, ("toy scenes", "five photos"), strict=True
):
    T, distance, c = zip(*(row[:3] for row in rows), strict=True)
    ax.plot(T, distance, "o-", color="black", label="distance from the truth")
    ax.plot(T, c, "^:", color="C1", label="chroma")
    ax.axhline(true, color="C1", linewidth=1, linestyle="--", label="true chroma")
    ax.axvline(0.38, color="0.6", linewidth=1)
    ax.text(0.39, 0.5, "0.38", color="0.4", transform=ax.get_xaxis_transform())
    ax.set(xlabel="T", ylabel="ab units", title=title)
axes[0].legend(frameon=False, fontsize=8)
show(
    fig,
    alt="Distance and chroma over T, for toy scenes and for photos: as T falls from 1, "
    "the distance rises and so does the chroma.",
    caption="The sweep. Nothing marks 0.38 (the vertical line): no curve has its best "
    "point there.",
)

# %% tags=["trained"]
print(f"{'chroma':18} T = 1   0.38      0   true")
for k, name in enumerate(images.BUNDLED):
    read = [decode.annealed_mean(photo_logits[[k]], T) for T in (1, 0.38, 0)]
    values = [mean_chroma(ab).item() for ab in (*read, photo_ab[[k]])]
    print(f"{name:18}" + "".join(f"{value:6.1f} " for value in values))

# %% [markdown]
# Distance, AuC and rebalanced AuC all pick T = 1 here. Equal chroma picks about 0.5, as a mean over photos that want opposite
# things: two of them are too colorful at every T, and one is too dull at every T. With five photos and one network this says
# little about 0.38, which was chosen for another network. It does show what the number is: a choice, between measures of error
# that ask for 1 and an eye that asks for color.
#
# **Predict.** With this network, a lower T gives more color. Another one was trained on the same photos *without* rebalancing.
# What happens to its chroma when T falls?

# %% tags=["trained"]
print(f"{'chroma, five photos':20}" + "".join(f"{T:>6}" for T in LADDER) + "   = T")
for name in ("rebalanced", "classification"):
    other = Colorizer.load(name)
    z = torch.cat([other.answer(photo)[1] for photo in photos])
    values = [mean_chroma(decode.annealed_mean(z, T)).mean().item() for T in LADDER]
    print(f"{name:20}" + "".join(f"{value:6.1f}" for value in values))

# %% [markdown]
# It falls. This is the tulip of section 6 on photos: nearly gray pixels are so frequent that without rebalancing the likeliest
# bin is close to gray nearly everywhere, and annealing removes what color there was. Annealing strengthens majorities.
# Rebalancing decides what they are. The two belong together, and 0.38 belongs to the paper's rebalanced network.
#
# ## 10. Decode first, then enlarge
#
# The network answers at half the resolution (Zhang's at a quarter). Something has to be enlarged: the 313 logits, the 313
# probabilities, or the two channels a and b after decoding. In numbers:

# %%
H = W = 256
for name, channels in (("logits or probabilities", 313), ("a and b", 2)):
    print(f"{name:24} {channels * H * W * 4 / 1e6:6.1f} MB for a photo of {H} x {W}")
print(f"{313 / 2:.1f} times as many numbers")


# %%
def enlarge(x, side):
    """(N, C, h, w) -> (N, C, side, side), linear between the pixels."""
    return F.interpolate(x, (side, side), mode="bilinear", align_corners=False)


ways = {
    "decode, then enlarge": lambda z, T, s: enlarge(decode.annealed_mean(z, T), s),
    "enlarge probabilities": lambda z, T, s: decode.annealed_mean(
        enlarge(z.softmax(dim=1), s).log(), T
    ),
    "enlarge logits": lambda z, T, s: decode.annealed_mean(enlarge(z, s), T),
}

# %% tags=["no-compare"]
for name, way in ways.items():
    start = time.perf_counter()
    way(photo_logits[:1], 0.38, 256)
    print(f"{name:22} {1e3 * (time.perf_counter() - start):7.1f} ms for one photo")

# %% [markdown]
# **Predict.** Does the costly way at least give another picture? Hold a lemon against the sky: two neighboring pixels, one
# yellow, one blue. Put 31 new pixels between them. Which colors will they have? And which of the three ways agree at T = 1?


# %%
def between(one, other, steps=33):
    """Linear steps from one pixel (C,) to another: (1, C, 1, steps)."""
    t = torch.linspace(0, 1, steps)
    return (torch.outer(one, 1 - t) + torch.outer(other, t))[None, :, None]


def three_ways(lemon, sky, T):
    """Colors on the way from one pixel's logits (313,) to the other's: (2, 33) each."""
    p, q = lemon.softmax(dim=0), sky.softmax(dim=0)
    ends = decode.annealed_mean(torch.stack((lemon, sky), dim=1)[None, :, None], T)
    colors = (
        between(*ends[0, :, 0].T),
        decode.annealed_mean(between(p, q).log(), T),
        decode.annealed_mean(between(lemon, sky), T),
    )
    return {name: ab[0, :, 0] for name, ab in zip(ways, colors, strict=True)}


ends = [logits[s, :, y, x] for s, y, x in (middle("lemon"), middle("sky"))]
paths = {T: three_ways(*ends, T) for T in (1, 0.38)}

# %% jupyter={"source_hidden": true} tags=["trained"]
fig, axes = panels(1, 2, (4.4, 3.2))
for ax, (T, found) in zip(axes, paths.items(), strict=True):
    for (name, ab), style in zip(found.items(), ("-", "--", ":"), strict=True):
        ax.plot(range(33), ab[1], style, color="black", linewidth=2, label=name)
    ax.set(xlabel="pixel between lemon (0) and sky (32)", ylabel="b", title=f"T = {T:g}")
axes[0].legend(frameon=False, fontsize=8)
show(
    fig,
    alt="The value of b from the lemon to the sky, in three ways. Enlarging a and b "
    "gives a straight line; enlarging logits gives a sudden step.",
    caption="b is positive for yellow, negative for blue; near 0 lies gray. A straight "
    "line means mixed colors all the way; a step means an edge. At T = 1 two of the "
    "three lines are one.",
)

# %% tags=["trained"]
for T, found in paths.items():
    colors = found["decode, then enlarge"]
    apart = (found["enlarge probabilities"] - colors).abs().max()
    print(f"T = {T:g}: a, b or probabilities enlarged, largest difference {apart:.1f}")
    for name, ab in found.items():
        far = [(ab - ab[:, end, None]).norm(dim=0) > 20 for end in (0, -1)]
        mixed = (far[0] & far[1]).float().mean()
        print(f"   {name:22} {100 * mixed:3.0f} % are more than 20 units from both")

# %% [markdown]
# At T = 1 it makes no difference whether a and b or the probabilities are enlarged: a mean of means is a mean. At T = 0.38 it
# does. Enlarged a and b run through all the mixed colors, among them gray, which neither lemon nor sky has. Probabilities turn
# faster, logits still faster: nearly an edge.
#
# And on whole scenes? The last line needs no network: true colors at half the resolution, enlarged.


# %%
def edges(things):
    """True where a neighbor belongs to another thing: (N, H, W) -> (N, H, W)."""
    found = torch.zeros_like(things, dtype=torch.bool)
    for dim in (1, 2):
        one, other = neighbors(things, dim)
        for side in neighbors(found, dim):  # views: both sides of an edge are marked
            side |= one != other
    return found


few = slice(0, 25)
edge = edges(scenes.thing[few])  # (25, S, S)
enlarged = {name: way(logits[few], 0.38, size.scene) for name, way in ways.items()}
enlarged["true colors, enlarged"] = enlarge(true_ab[few], size.scene)

# %% tags=["trained"]
print("distance from the true color     at edges   elsewhere")
for name, ab in enlarged.items():
    distance = (ab - scenes.ab[few]).norm(dim=1)
    print(f"{name:32} {distance[edge].mean():8.1f} {distance[~edge].mean():8.1f}")

# %% [markdown]
# The cheap way is the worst of the three at edges, by some 3 ab units of about 20. But most of the distance there remains even
# with true colors: it is the price of half the resolution, and L, at full resolution, hides much of it (lesson 1). The 3 units
# would cost 156 times the memory and, above, many times the time. Zhang's network decodes first, and so does this course.
#
# ## 11. What the network does not know
#
# One color hides how sure the network was. The entropy tells:
#
# $$ H = - \sum_q p_q \ln p_q $$
#
# It is 0 if one bin has everything, and $\ln 313 = 5.75$ nats if all bins are equal. Read it as a number of colors: an entropy
# of $H$ is that of $e^H$ equally likely bins.
#
# ### Exercise 6.5 · Entropy
# ●●○○○ · 8 minutes
#
# Return the entropy of each pixel. A logit of minus infinity rules a bin out: its probability is 0, and it adds 0.
#
# <details><summary>Hint 1</summary>Softmax first. The trouble is 0 times ln 0: what does torch.log(0) give, and 0 times
# that?</details>
# <details><summary>Hint 2</summary><code>torch.special.entr(p)</code> is -p ln p, and 0 at 0.</details>


# %%
@check("6.5")
def entropy(logits):
    """Entropy in nats: (N, Q, H, W) -> (N, H, W)."""
    # BEGIN SOLUTION
    p = torch.softmax(logits, dim=1)
    return torch.special.entr(p).sum(dim=1)
    # END SOLUTION


# %% [markdown]
# The exact entropy of each kind follows from its palette. (Soft codes alone have entropy: a lemon, always yellow, has its
# five bins.) **Predict**: which kind has the highest?

# %%
unsure = entropy(logits)
exact = {k: world.palette(k).cross_entropy_floor(soft=True) for k in world.kinds}

# %% tags=["trained"]
some = ("sky", "grass", "lemon", "tulip", "plum", "apple", "roof", "balloon", "kite")
print("entropy    colors  exact  network  (nats)")
for name in some:
    count = len(world.palette(name).colors)
    print(f"{name:10} {count:6} {exact[name]:6.2f} {of_kind(unsure, name):8.2f}")

# %% jupyter={"source_hidden": true} tags=["trained"]
best = torch.tensor([exact[k] for k in world.kinds])[kind]
fig, axes = panels(3, len(chosen), (2.0, 2.1))
grid = axes.reshape(3, -1)
for ax, image in zip(grid[0], scenes.rgb()[chosen], strict=True):
    picture(ax, to_gray(image))
for row, values in ((grid[1], best), (grid[2], unsure)):
    for ax, value in zip(row, values[chosen], strict=True):
        shown = ax.imshow(value.numpy(), vmin=1, vmax=3.2, cmap="gray")
        ax.set(xticks=[], yticks=[], title=f"mean {value.mean():.2f}")
for row, name in zip(grid, ("gray", "exact", "network"), strict=True):
    name_row(row[0], name)
fig.colorbar(shown, ax=grid[1:].ravel().tolist(), label="entropy (nats)", shrink=0.6)
show(
    fig,
    alt="Four scenes in gray, and maps of their entropy. Balloons are brightest, apples, "
    "plums and roofs are lighter gray, sky and grass are dark.",
    caption="Bright is unsure. The network's map is close to the exact one; where things "
    "meet, it is brighter.",
)

# %% tags=["trained"]
rim, excess = edges(thing), unsure - best
print(f"entropy above the exact one, at edges:  {excess[rim].mean():.2f} nats")
print(f"entropy above the exact one, elsewhere: {excess[~rim].mean():.2f} nats")

# %% [markdown]
# The network's entropy lies a little above the exact one: it is never quite as sure as it could be, least of all at edges. The
# kite stands out. It has one color, 1.26 nats would do, and the network has far more: it has not fully learned these rare
# things.
#
# So entropy adds up two kinds of doubt: what nobody can know (the balloon), and what this network has not learned (the kite).
# In the toy world the exact value tells them apart. On photos, the entropy alone does not.

# %% jupyter={"source_hidden": true} tags=["trained"]
photo_unsure = entropy(photo_logits)  # (5, 64, 64)
fig, axes = panels(2, 5, (1.8, 1.9))
for k, name in enumerate(images.BUNDLED):
    picture(axes[k], to_gray(photos[k]), name)
    shown = axes[5 + k].imshow(photo_unsure[k].numpy(), vmin=2, vmax=5, cmap="gray")
    axes[5 + k].set(xticks=[], yticks=[], title=f"mean {photo_unsure[k].mean():.1f} nats")
fig.colorbar(shown, ax=axes[5:].tolist(), label="entropy (nats)", shrink=0.8)
show(
    fig,
    alt="The five photos in gray and maps of their entropy, between 2 and 5 nats.",
    caption="Dark is sure: black things, such as helmet and collar, which have little "
    "color at any rate. Hardly anything else is: 4 nats are 55 equally likely bins.",
)

# %% [markdown]
# Can the entropy be believed as a warning? Sort the pixels by it, and measure the error of the mean in each quarter.


# %%
def by_quarter(doubt, distance):
    """Mean distance in the four quarters of the pixels, from sure to unsure."""
    order = doubt.flatten().argsort()
    return [part.mean().item() for part in distance.flatten()[order].chunk(4)]


small_ab = F.interpolate(photo_ab, photo_logits.shape[2:], mode="area")
toy_error = (mean_ab - true_ab).norm(dim=1)
photo_error = (decode.mean(photo_logits) - small_ab).norm(dim=1)

# %% tags=["trained"]
print("distance of the mean from the truth, by quarters of entropy, sure to unsure")
for name, doubt, distance in (
    ("toy scenes", unsure, toy_error),
    ("photos", photo_unsure, photo_error),
):
    print(f"{name:11}", "".join(f"{d:7.1f}" for d in by_quarter(doubt, distance)))

# %% [markdown]
# In the toy world nearly all of the error lies in the last quarter: where the entropy is low, the color is known. On photos the
# error rises from quarter to quarter, but the surest quarter is still off by more than 10 units. High entropy is a warning. Low
# entropy is no promise.
#
# ## 12. Failure gallery: three broken decoders
#
# All three run without an error message. The first, known from lesson 2, has puzzled users of published code. The network's
# answer is the same in all, and fine; only the decoder is broken.
#
# **Predict** from the code what each picture will look like.


# %%
def softmax_twice(z, centers):
    """A decoder for logits that is given probabilities."""
    return decode.mean(torch.softmax(z, dim=1), centers)


def wrong_dimension(z, centers):
    """Softmax over the pictures: there is one."""
    return torch.einsum("nqhw,qc->nchw", torch.softmax(z, dim=0), centers)


def overflowing(z, centers, T=0.05):
    """Softmax by hand, without taking off the largest logit first."""
    powers = torch.exp(z / T)
    return torch.einsum(
        "nqhw,qc->nchw", powers / powers.sum(dim=1, keepdim=True), centers
    )


# %%
z = photo_logits[:1]
broken = {
    "right": decode.mean(z),
    "softmax twice": softmax_twice(z, centers),
    "wrong dimension": wrong_dimension(z, centers),
    "overflow": overflowing(z, centers),
}

# %% jupyter={"source_hidden": true} tags=["trained"]
shown = {name: paint(lightness, ab)[0] for name, ab in broken.items()}
lost = shown["overflow"].isnan()
shown["overflow"] = shown["overflow"].masked_fill(lost, 0)  # NaN has no color: black
show(
    pictures(
        list(shown.values()),
        [f"{name}\nchroma {chroma(image):.1f}" for name, image in shown.items()],
        columns=4,
        inches=2.1,
    ),
    alt="The astronaut four times: colored, with one dull tint all over, with one "
    "glaring color all over, with black holes.",
    caption="The same answer of the same network, decoded rightly (T = 1) and in three "
    "broken ways. Where there is no number (NaN), we painted black.",
)

# %% tags=["trained"]
print("                 spread of ab   NaN        mean a, b")
for name, ab in broken.items():
    spread = ab.nan_to_num().std(dim=(2, 3)).mean()
    a, b = ab.nan_to_num().mean(dim=(2, 3))[0]
    print(f"{name:16} {spread:12.2f} {100 * ab.isnan().float().mean():5.0f} % ", end="")
    print(f"{a:9.1f} {b:8.1f}")
print("mean of all centers:", [round(x, 1) for x in centers.mean(dim=0).tolist()])
print("sum of all centers: ", centers.sum(dim=0).tolist())

# %% [markdown]
# - **Softmax twice.** *Symptom:* one pale tint, the same in every pixel and every photo, like an old print. *Cause:*
#   probabilities lie between 0 and 1, so their exponentials lie between 1 and 2.7, and the second softmax makes 313 nearly
#   equal numbers of them. Their mean is the mean of all centers. *How to notice:* the spread of a and b over the picture is
#   almost 0.
# - **The wrong dimension.** *Symptom:* one glaring color everywhere. *Cause:* over a dimension of length 1 every softmax is 1,
#   so a and b are the sums of all 313 centers; the picture shows them clipped to what RGB can hold. *How to notice:* the
#   probabilities of a pixel sum to 313. With two pictures in the batch the bug hides better.
# - **Overflow.** *Symptom:* holes, first where the network is sure. *Cause:* in 32 bits $e^x$ is infinite above $x = 88.7$, and
#   infinity divided by infinity is no number. *How to notice:* `ab.isfinite().all()`, before anything turns the NaN into
#   a color. The cure is to subtract the largest logit first, as `torch.softmax` does.
#
# Three questions to ask any decoder: do the probabilities of a pixel sum to 1? Is every color finite? Does the color change
# from pixel to pixel?
#
# ## What the papers say, what we measured
#
# | | papers | exact | this lesson |
# |---|---|---|---|
# | T | 0.38 (Zhang et al. 2016, by eye); "a nice compromise" (KTH, section 4.2) | 1 for the smallest square of the distance | distance: 1, on scenes and on photos; AuC, rebalanced AuC: 1; equal chroma: between 0.1 and 0.2 on scenes, 0.5 on five photos (rebalanced network) |
# | mean | spatially consistent, desaturated (KTH, section 4.2); best for Lab (Larsson et al. 2016, section 3.3) | apple: chroma 39; balloon: 0 | apple about 39, balloon under 5; the smallest distance |
# | mode | vibrant, with patches (KTH, section 4.2); jarring transitions (Larsson, section 3.3) | no rule for a tie | seams: a third or more of the pairs in apples, half or more in balloons |
# | median | for the chroma, in hue and chroma (Larsson, section 3.3) | plum: near the majority; balloon: gray | distance between mean and mode |
# | sample | high-frequency color changes (Larsson, section 3.3) | the right chroma | speckle (independent), or all apples of a picture alike (shared) |
# | error | mode 0.304, expectation of the hue with median of the chroma 0.342, expectation of both 0.374, sample 0.426 (Larsson, Table 5) | mean before all others | mean 13.4, annealed 14.5, median 15.6, mode 17.8, sample 20.1 ab units |
#
# Larsson's table has another order: there the mode is ahead of expectation and median. Their bins are hues and chromas, and a
# mean of hues is not a mean in ab; their number is a mean of distances, not of squares. How much each of the two matters, we
# have not measured. Their own remark on the mode: it does fairly well, with severe visual artifacts.
#
# **Take away**
# 1. The answer is a distribution; the color is a choice. Our measures of error prefer the mean. The authors of the paper, by
#    eye, did not.
# 2. Annealing turns a majority into a decision, vivid or gray. It cannot decide a tie: there it amplifies the network's noise.
# 3. A pixel's distribution says nothing about its neighbors. Seams and speckle come from that, and no temperature cures both
#    them and gray.
#
# ## Questions
#
# <details><summary>What is the median a of an apple, exactly?</summary>Half of the probability lies on the green bins, half on
# the red, and nothing between. Every value in the gap is a median. A function like that of exercise 6.3 stops at one end (a =
# -25), or, with another rounding, at the other. <code>decode.median</code> looks for the gap and takes its middle: a = 10,
# brown again.</details>
# <details><summary>A friend makes pictures more vivid by multiplying a and b by 1.3. How does that differ from T =
# 0.38?</summary>It keeps the hue of every color: a brown apple becomes a more vivid brown, and a gray balloon stays gray.
# Annealing moves the plum to another hue, that of its majority. And multiplying also stretches what was right already, such as
# the lemon.</details>
# <details><summary>Does a lower T make the network more certain?</summary>No. The entropy of the sharpened distribution falls,
# but nothing new is known. The picture only hides the doubt. Draw the map of the entropy before annealing, not after.</details>
# <details><summary>Somebody reports: "I lower T, and my pictures get grayer." Is it a bug?</summary>It may be: whoever
# multiplies by T instead of dividing blurs the distribution (exercise 6.4). But if the network's majorities are gray, as
# without rebalancing, a lower T must make the picture grayer. Try a single pixel by hand before you look for bugs.</details>

# %%
check.scorecard()
