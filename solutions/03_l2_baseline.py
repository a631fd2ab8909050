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
# # Lesson 3 · The L2 baseline: why the apple is brown
#
# **Why do colorizations that are trained the obvious way come out brown and dull?**
#
# The obvious way: let the network answer with two numbers for each pixel, a and b, and punish the squared distance to the
# true color. That is the L2 loss. You train such networks here, in a world where the best answer can be computed with pencil
# and paper. So you can tell what the loss asks for from what the training has missed.
#
# After this lesson you can
# - make the check that comes before every training: learn one picture by heart;
# - compute the best answer under L2, and what it costs; find the best answers under another loss, smooth L1;
# - compare a trained network with the best possible answer, kind by kind;
# - recognize four failures by their symptoms.
#
# | to read and solve | to run | needs |
# |---|---|---|
# | 90 minutes, 6 exercises | about 2 minutes | CPU only, no download |
#
# You should know what L, a and b are (lesson 1), and have heard of convolutions and gradient descent. How exercises work:
# replace the line `raise NotImplementedError` by your answer and run the cell. A badge tells you where you stand. Whatever
# it says, you can go on: the cells below then use the course's own function. Cells that only draw are folded; a click on
# the three dots opens them.

# %%
import torch
import torch.nn.functional as F
from torch import nn

from colorize import images, toyruns
from colorize.check import check
from colorize.colorizer import Colorizer
from colorize.decode import paint
from colorize.figures import ab_plane, panels, pictures, show, training_curve
from colorize.lab import rgb_to_lab, to_gray
from colorize.metrics import mean_chroma
from colorize.networks import SmallNet
from colorize.toyworld import ToyWorld
from colorize.training import fit

# %% [markdown]
# ## 1. A world with known answers
#
# The toy world, `ToyWorld`, draws small scenes: sky, grass, fruit, balloons. Each thing gets its color from the palette of
# its kind, by a throw of dice. The gray picture tells what a thing is. It does not tell how the dice fell.

# %%
size = toyruns.size()
world = ToyWorld(size.scene)
for kind in ("lemon", "apple", "plum", "balloon"):
    print(kind, world.palette(kind))

# %% [markdown]
# Each color is (a, b) with its probability. A lemon is always yellow. An apple is red or green, each with probability one
# half. Below, one gray picture and three colorings of it, drawn with three throws.

# %%
throws = [ToyWorld(48).scenes(1, seed=3, color_seed=throw) for throw in (0, 2, 7)]

# %% jupyter={"source_hidden": true}
gray = to_gray(throws[0].rgb()[0])
colored = [throw.rgb()[0] for throw in throws]
chroma = [mean_chroma(throw.ab).item() for throw in throws]
show(
    pictures(
        [gray, *colored],
        ["gray", *(f"throw {n}\nchroma {c:.1f}" for n, c in enumerate(chroma, 1))],
        columns=4,
    ),
    alt="One toy scene in gray and in three colorings. The apple is green, red and "
    "green, the balloon turquoise, violet and blue, the roof blue, red and red. Sky and "
    "grass stay as they are.",
    caption="The same gray picture, colored three times. Nobody who sees only the gray "
    "one can say which of the others is right. Chroma is the distance from gray in ab "
    "units, here its mean over the picture.",
)

# %% [markdown]
# ## 2. A loss
#
# At each pixel, a network answers with $\hat c = (\hat a, \hat b)$; the true color is $c = (a, b)$. The L2 loss of Zhang et
# al. (2016, equation 1) is half the squared distance,
#
# $$ \mathrm{L2} = \frac{1}{2}\,\lVert \hat c - c \rVert^2 = \frac{1}{2}\left[(\hat a - a)^2 + (\hat b - b)^2\right] . $$
#
# We take its mean over all pixels of all pictures. (A sum would grow with the size of the pictures.)
#
# ### Exercise 3.1 · The L2 loss
# ●○○○○ · 5 minutes
#
# Return one number: the mean over pictures and pixels of half the squared distance in the ab plane.
#
# <details><summary>Hint 1</summary>The two squares, of a and of b, are added, not averaged. Only pixels and pictures are
# averaged.</details>
# <details><summary>Hint 2</summary>Square the difference, sum over dimension 1, take the mean of the rest, halve.</details>


# %%
@check("3.1")
def l2_loss(pred_ab, true_ab):
    """Mean of half the squared distance: (N, 2, H, W) and (N, 2, H, W) -> one number."""
    # BEGIN SOLUTION
    squared = (pred_ab - true_ab).square().sum(dim=1)  # (N, H, W)
    return 0.5 * squared.mean()
    # END SOLUTION


# %% [markdown]
# ## 3. One picture first
#
# Before a long training, make a short one on a single picture. A network with hundreds of thousands of weights can learn one
# picture by heart, so the loss must come close to zero. If it does not, something is broken: the loss, the data, the learning
# rate. The check takes seconds and saves hours.
#
# Our network is `SmallNet`. Its convolutions, with batch norm and ReLU, halve the resolution five times, look at the whole
# scene from there, and go back up to half the resolution of the picture. With 2 outputs it answers a and b.
#
# `fit(network, data, loss, steps, batch_size, learning_rate)` trains it: each step takes a batch of pictures, converts them
# to Lab, shows L to the network, and moves its weights so that the loss between its answer and the true ab falls. The data
# may be anything that has a method `batch`. The class below gives out the same pictures at every step.


# %%
class Pictures:
    """The same pictures (P, 3, S, S) at every step, repeated to fill a batch of n."""

    def __init__(self, rgb):
        self.rgb = rgb

    def batch(self, n, seed):
        return self.rgb[torch.arange(n) % len(self.rgb)]


def learn_by_heart(rgb):
    """Train a fresh network on a few pictures only: -> network, history."""
    torch.manual_seed(0)
    network = SmallNet(outputs=2, width=size.width)
    steps = size.steps // 4
    return network, fit(network, Pictures(rgb), l2_loss, steps, 8, size.learning_rate)


# %% [markdown]
# We take throw 1, with the green apple, in batches of 8 copies. (One copy would do if our network did not contain batch norm,
# a layer that measures means and variances in each batch. In a batch of one small picture it measures them badly.)

# %%
one, history = learn_by_heart(throws[0].rgb())

# %% tags=["trained"]
for step in (0, len(history.losses) // 4, len(history.losses) - 1):
    print(f"step {step + 1}: loss {history.losses[step]:.1f} squared ab units")


# %% [markdown]
# It works. What will this network say about the *other* throws, whose gray picture is the same?
#
# **Predict.** The loss on throw 2, in which the apple is red: near zero, too, or large?


# %%
def ask(network, scenes):
    """A network's answer to gray scenes: -> ab (n, 2, S/2, S/2)."""
    with torch.inference_mode():
        return network(scenes.lightness[:, None])


def truth(scenes):
    """True ab (n, 2, S/2, S/2) and kind (n, S/2, S/2), where the network answers."""
    return scenes.ab[:, :, ::2, ::2], scenes.kind[:, ::2, ::2]


# %% tags=["trained"]
for number, throw in enumerate(throws, 1):
    loss = l2_loss(ask(one, throw), truth(throw)[0])
    print(f"throw {number}: loss {loss:.1f}")

# %% [markdown]
# Throw 1 costs a little more than at the end of the training, since batch norm now uses means and variances that it collected
# on the way. Throw 3 costs less than throw 2: it shares the green apple with throw 1.
#
# A loss near zero on one picture shows that the machinery works. It shows nothing about colors: the network has learned them
# by heart, dice and all.
#
# ### Two pictures, one gray
#
# Now train on throw 1 and throw 2 together. The network sees one gray picture, and is told two different colors.
#
# **Predict.** Which color will the apple get? Can the loss come near zero?

# %%
pair = torch.cat([throw.rgb() for throw in throws[:2]])
both, history = learn_by_heart(pair)

# %% tags=["trained"]
answer = ask(both, throws[0])
middle = torch.stack([truth(throw)[0] for throw in throws[:2]]).mean(dim=0)
print(f"loss at the end: {history.losses[-1]:.1f}")
print(f"loss of the mean of the two: {l2_loss(middle, truth(throws[0])[0]):.1f}")
apple = (truth(throws[0])[1] == world.kinds.index("apple"))[0]
print("apple, network: ", [round(x) for x in answer[0, :, apple].mean(dim=1).tolist()])
print("apple, mean:    ", [round(x) for x in middle[0, :, apple].mean(dim=1).tolist()])

# %% [markdown]
# `paint` scales the answer up to the size of the picture and puts it on the picture's lightness.

# %% jupyter={"source_hidden": true} tags=["trained"]
learned = paint(throws[0].lightness[:, None], answer)[0]
dull = mean_chroma(rgb_to_lab(learned[None])[:, 1:]).item()
titles = [f"throw {n}\nchroma {c:.1f}" for n, c in enumerate(chroma[:2], 1)]
titles.append(f"learned\nchroma {dull:.1f}")
show(
    pictures([*colored[:2], learned], titles, columns=3),
    alt="Two colorings of one scene, with a green and a red apple, and what a network "
    "learned from both: a brown apple.",
    caption="Two true pictures and what the network learned from them. Its apple is "
    "brown, which neither picture shows. Where the two agree, it is right, but for the "
    "soft edges of colors at half the resolution.",
)

# %% [markdown]
# There it is, the brown apple, from two pictures and a few seconds of training. The network is not too small, and not
# undertrained: its loss has come down to that of the mean of the two pictures, and no answer can do better. The rest of the
# lesson says why.
#
# ## 4. The best single answer
#
# Take one kind of thing. Its palette holds the colors $c_1, \dots, c_k$, with the probabilities $p_1, \dots, p_k$. A network
# that cannot see which color was drawn must give one answer $x$ for all. On average it pays
#
# $$ E(x) = \sum_i p_i \, \tfrac12 \lVert x - c_i \rVert^2 . $$
#
# For the apple, vary only a: both of its colors have b = 38.

# %% jupyter={"source_hidden": true}
a = torch.linspace(-70, 90, 161)
red, green = 0.5 * (a - 53) ** 2, 0.5 * (a + 37) ** 2
fig, (ax,) = panels(1, 1, (5.6, 3.2))
ax.plot(a, green, ":", color="tab:green", label="if the apple is green")
ax.plot(a, red, "--", color="tab:red", label="if the apple is red")
ax.plot(a, (red + green) / 2, color="black", label="on average")
ax.plot(8, 45**2 / 2, "x", color="black", markersize=9)
arrow = {"arrowstyle": "-", "color": "0.5"}
ax.annotate("a = 8: brown", (8, 45**2 / 2), (8, 2200), ha="center", arrowprops=arrow)
ax.set(
    xlabel="answer for a, ab units", ylabel="L2 loss, squared ab units", ylim=(0, 5000)
)
ax.legend(frameon=False, loc="upper center")
show(
    fig,
    alt="Two parabolas with their minima at a = -37 and a = 53. Their average is a "
    "parabola with its minimum at a = 8.",
    caption="What an answer for an apple's a costs. The average of two parabolas is a "
    "parabola again. It has one minimum, in the middle, where no apple is.",
)

# %% [markdown]
# To find the minimum, set the derivative to zero: $\sum_i p_i (x - c_i) = 0$.
#
# ### Exercise 3.2 · The best answer under L2
# ●○○○○ · 5 minutes
#
# Solve the equation for $x$ (the probabilities sum to 1) and return it, for any palette.
#
# <details><summary>Hint 1</summary>Split the sum: $x \sum_i p_i = \sum_i p_i c_i$.</details>
# <details><summary>Hint 2</summary>It is the mean of the colors, each weighted by its probability. Give the probabilities
# a second dimension of 1, or use <code>@</code>.</details>


# %%
@check("3.2")
def best_answer(colors, probabilities):
    """The minimum of the mean L2 loss: (k, 2) and (k,) -> (2,)."""
    # BEGIN SOLUTION
    return (probabilities[:, None] * colors).sum(dim=0)
    # END SOLUTION


# %% [markdown]
# The best answer is not free. What it still costs is the least that any network can pay for this kind, if it cannot see the
# color. We call this cost the *floor*.
#
# ### Exercise 3.3 · What the best answer costs
# ●●○○○ · 10 minutes
#
# Return $E(x)$ at the best $x$: half the expected squared distance between the colors of the palette and their mean.
#
# <details><summary>Hint 1</summary>First the best answer, then half its squared distance to each color, then the mean of these
# with the probabilities.</details>
# <details><summary>Hint 2</summary>The squared distances have shape (k,), after a sum over dimension 1. Multiply by the
# probabilities and sum.</details>


# %%
@check("3.3")
def floor(colors, probabilities):
    """The least mean L2 loss that any single answer can reach: (k, 2), (k,) -> number."""
    # BEGIN SOLUTION
    distance = (colors - best_answer(colors, probabilities)).norm(dim=1)  # (k,)
    return 0.5 * (probabilities * distance**2).sum()
    # END SOLUTION


# %% [markdown]
# **Predict.** A balloon has six colors, spread evenly around a circle of radius 30. What is its best answer, and its
# chroma? Here are all kinds of the toy world.

# %%
shares = world.shares(500)  # of the pixels, by kind
exact = {}
print("kind     pixels   best a, b   chroma: true  of best   floor")
for kind, share in zip(world.kinds, shares, strict=True):
    palette = world.palette(kind)
    exact[kind] = best_answer(palette.colors, palette.probabilities)
    a, b = (round(x) for x in exact[kind].tolist())
    true_chroma = palette.probabilities @ palette.colors.norm(dim=1)
    cost = floor(palette.colors, palette.probabilities)
    print(f"{kind:8} {share:6.1%} {a:5} {b:5}", end="")
    print(f"{true_chroma:14.1f} {exact[kind].norm():8.1f} {cost:8.0f}")

# %% [markdown]
# The balloon's answer is gray: the mean of a full circle of colors is its center. The best answer never has more chroma than
# the palette has on average, for a mean of vectors is never longer than the mean of their lengths. Dullness needs no badly
# trained network. It is what the loss asks for.
#
# Kinds with one color cost nothing. Averaged over all pixels, the floors add up to the least loss of the whole world: that
# of a network which tells every kind from the gray picture, and answers its mean.

# %%
costs = [floor(p.colors, p.probabilities) for p in world.palettes.values()]
world_floor = (shares * torch.stack(costs)).sum().item()
print(f"floor of the world: {world_floor:.1f} squared ab units")

# %% [markdown]
# ## 5. A first network
#
# Now a training in earnest: every step shows new scenes, and none comes twice. The size of everything stands in one place.
#
# **Predict.** The floor is known. Will the loss reach it?

# %%
print(size)
torch.manual_seed(0)
network = SmallNet(outputs=2, width=size.width)
history = fit(network, world, l2_loss, size.steps, size.batch_size, size.learning_rate)

# %% jupyter={"source_hidden": true} tags=["trained"]
show(
    training_curve(
        history.losses,
        toyruns.band("l2"),
        floor=world_floor,
        unit="L2 loss (squared ab units)",
    ),
    alt="The loss falls steeply, then slowly, and ends above a dashed line, the floor.",
    caption="The loss of your training. The band, where it is drawn, holds our own "
    "runs with three seeds. The dashed line is the floor of the world.",
)

# %% [markdown]
# Below are the loss at the end, and the loss on 200 new scenes. (Every network of this size in the lesson is asked about
# these 200.) An answer without any color, all gray, costs half the mean squared chroma.

# %% tags=["trained"]
fresh = world.scenes(200, seed=2 * 10**6)
true_ab, kinds = truth(fresh)
answer = ask(network, fresh)
print(f"last 100 steps: {sum(history.losses[-100:]) / 100:.0f}")
print(f"200 new scenes: {l2_loss(answer, true_ab):.0f}")
print(f"all gray:       {l2_loss(0 * true_ab, true_ab):.0f}")
print(f"floor:          {world_floor:.0f}")

# %% [markdown]
# The network is not at the floor. Where does it lose the rest? Averaged over the throws, the loss is the floor plus half the
# squared distance of the answer from the exact mean, so this excess can be seen pixel by pixel. A pixel lies at an edge if
# the 3 x 3 window around it holds more than one kind.

# %% tags=["trained"]
best = world.mean_ab(kinds)  # the exact mean at each pixel
excess = 0.5 * (answer - best).square().sum(dim=1)
numbers = kinds[:, None].float()
largest, smallest = F.max_pool2d(numbers, 3, 1, 1), -F.max_pool2d(-numbers, 3, 1, 1)
edge = (largest != smallest)[:, 0]
print(f"above the floor: {excess.mean():.0f} squared ab units")
print(f"edges: {edge.float().mean():.0%} of the pixels, ", end="")
print(f"{excess[edge].sum() / excess.sum():.0%} of the excess")

# %% [markdown]
# Nearly all of the excess lies at edges. A pixel there may belong to either side, and the network must make out the shape to
# tell which. Elsewhere its answer is close to the best one.
#
# ### Compare with the exact mean
#
# One number for everything hides what went wrong where. What does the network answer, on average, for an apple?
#
# ### Exercise 3.4 · The mean answer for one kind
# ●●○○○ · 10 minutes
#
# `answer` holds a and b for each pixel, `kinds` the number of each pixel's kind. Return the mean (a, b) over all pixels, of all
# pictures, whose kind is `number`.
#
# <details><summary>Hint 1</summary><code>kinds == number</code> is a mask (N, H, W). Bring the two channels of the answer to the
# end, and the mask picks pixels.</details>
# <details><summary>Hint 2</summary><code>answer.movedim(1, -1)</code> has shape (N, H, W, 2). Indexed with the mask it has shape
# (pixels, 2).</details>


# %%
@check("3.4")
def answer_for(answer, kinds, number):
    """Mean answer at one kind: (N, 2, H, W), (N, H, W) int64, int -> (2,)."""
    # BEGIN SOLUTION
    return answer.movedim(1, -1)[kinds == number].mean(dim=0)
    # END SOLUTION


# %%
def by_kind(answer, kinds):
    """Mean answer for each kind that occurs; -1 marks pixels that do not count."""
    numbers = [k for k in kinds.unique().tolist() if k >= 0]
    return {world.kinds[k]: answer_for(answer, kinds, k).double() for k in numbers}


learned = by_kind(answer, kinds)

# %% tags=["trained"]
for kind, color in learned.items():
    mean, said = ([round(x) for x in c.tolist()] for c in (exact[kind], color))
    off = (color - exact[kind]).norm()
    print(f"{kind:8} exact {mean}, network {said}, {off:.1f} apart")

# %% jupyter={"source_hidden": true} tags=["trained"]
fig, axes = panels(2, 3, (3.4, 3.4))
for ax, kind in zip(
    axes, ("apple", "plum", "balloon", "roof", "tree", "kite"), strict=True
):
    palette = world.palette(kind)
    ab_plane(ax, kind)
    ax.scatter(
        *palette.colors.T,
        s=40 + 160 * palette.probabilities,
        facecolors="none",
        edgecolors="black",
        label="palette",
    )
    for (x, y), p in zip(
        palette.colors.tolist(), palette.probabilities.tolist(), strict=True
    ):
        ax.annotate(
            f"{p:.0%}",
            (x, y),
            (0, 9 if y > 0 else -16),
            textcoords="offset points",
            ha="center",
            fontsize=7,
        )
    ax.plot(*exact[kind], "kx", markersize=9, label="exact mean")
    if kind in learned:
        ax.plot(*learned[kind], "k+", markersize=11, label="network")
axes[0].legend(fontsize=8, loc="lower left")
show(
    fig,
    alt="Six ab planes, one for each kind. Circles: the palette. A cross marks the exact "
    "mean, a plus the network's mean answer.",
    caption="Circles: the palette with its probabilities. Cross: the exact mean. Plus: "
    "what the network says. The two lie close together, except for the kite.",
)

# %% [markdown]
# For kinds that fill at least one percent of the pixels, our three seeds all came within 6 ab units of the exact mean. The
# apple is brown, the balloon gray, the plum a dull violet, as computed: no failure of the training, but what it was asked
# for.
#
# Three new scenes, with the network's colors beside the best colors that L2 allows:

# %% jupyter={"source_hidden": true} tags=["trained"]
best_ab = world.mean_ab(fresh.kind)  # at full resolution
rows, titles = [], []
for i in (1, 5, 12):
    lightness = fresh.lightness[i : i + 1, None]
    for name, ab in (
        ("truth", fresh.ab[i : i + 1]),
        ("exact mean", best_ab[i : i + 1]),
        ("network", answer[i : i + 1]),
    ):
        rows.append(paint(lightness, ab)[0])
        titles.append(f"{name}\nchroma {mean_chroma(ab).item():.1f}")
show(
    pictures(rows, titles, columns=3),
    alt="Three toy scenes in their true colors, in the exact mean colors, and as the "
    "network colors them. Mean and network are duller at apples, plums and balloons.",
    caption="Left the truth, in the middle the best that L2 allows, right the network. "
    "Sky, grass and lemon keep their colors; apples, plums, balloons, trees and roofs do "
    "not.",
)

# %% tags=["trained"]
apples, balloons = (kinds == world.kinds.index(k) for k in ("apple", "balloon"))
for name, ab in (("truth", true_ab), ("exact mean", best), ("network", answer)):
    each = ab.norm(dim=1)  # chroma of each pixel
    print(f"{name}: mean chroma {each.mean():.1f}, ", end="")
    print(f"apples {each[apples].mean():.1f}, balloons {each[balloons].mean():.1f}")

# %% [markdown]
# In the whole picture little chroma seems to be missing, since sky and grass fill three quarters of it. But apples lose a
# third of theirs, and balloons most of it. In the second scene something else is missing: a red kite in front of the right
# tree.
#
# ### The rare kite
#
# A kite has one color only, the most vivid of all. There is nothing to average. And yet:

# %% tags=["trained"]
batches = [world.scenes(size.batch_size, seed=step).kinds for step in range(50)]
there = torch.stack([(k == world.kinds.index("kite")).any(dim=1) for k in batches])
share = shares[world.kinds.index("kite")]
print("kite, certain color:", [round(x) for x in exact["kite"].tolist()])
print("kite, network:      ", [round(x) for x in learned["kite"].tolist()])
print(f"share of the scenes with a kite: {there.float().mean():.1%}")
print(f"share of the pixels: {share:.2%}")
print(f"cost of gray kites: {0.5 * share * exact['kite'].norm() ** 2:.1f} of the loss")

# %% [markdown]
# In most batches of 16 scenes the network saw a kite or two. But the loss is a mean over pixels, and a kite has few. If all
# kites stayed gray, that would cost 3 of the 779 that all gray costs, so little pulls toward their color. In 1,200 steps the
# network does not get there: our three seeds ended 49 to 62 ab units away. L2 makes a color dull where it is ambiguous.
# Averaging over pixels makes it dull where it is rare, even if it is certain. Lesson 5 does something about that.
#
# ## 6. Another loss: smooth L1
#
# The mean is the best answer to *squared* errors: a color twice as far away pulls twice as hard. Suppose instead that every
# color pulled with the same force, wherever it is. That is the L1 loss, $|\hat a - a| + |\hat b - b|$, and its best answer is
# the median. For a plum, 70 % violet and 30 % yellow, the median of a and of b is that of the violet.
#
# L1 has a kink at zero. Smooth L1 rounds it off, for errors below some $\beta$. Agrawal and Sawhney (section 4.2.4) tried it,
# with $\beta = 1$. For an error $d$, which is $d_a = \hat a - a$ or $d_b = \hat b - b$, it is
#
# $$ s(d) = \begin{cases} d^2 / (2\beta) & \text{if } |d| < \beta, \\ |d| - \beta/2 & \text{otherwise.} \end{cases} $$
#
# ### Exercise 3.5 · Smooth L1
# ●●○○○ · 10 minutes
#
# Return the mean over pictures and pixels of $s(d_a) + s(d_b)$.
#
# <details><summary>Hint 1</summary><code>torch.where(condition, x, y)</code> chooses for each value on its own.</details>
# <details><summary>Hint 2</summary>Take the absolute difference first. As in exercise 3.1, a and b are added and the rest is
# averaged.</details>


# %%
@check("3.5")
def smooth_l1_loss(pred_ab, true_ab, beta=1.0):
    """Mean smooth L1 loss: (N, 2, H, W), (N, 2, H, W) -> one number."""
    # BEGIN SOLUTION
    d = (pred_ab - true_ab).abs()
    loss = torch.where(d < beta, d**2 / (2 * beta), d - beta / 2)
    return loss.sum(dim=1).mean()
    # END SOLUTION


# %% [markdown]
# ### Where do the forces cancel?
#
# The slope of $s$, written $s'$, is the force with which a color pulls: $d/\beta$ for small errors, never more than 1 and never
# less than -1. The best answer is where the forces of all colors, weighted by their probabilities, cancel.
#
# ### Exercise 3.6 · The force on an answer
# ●●●○○ · 15 minutes
#
# For one axis, a or b, the colors $c_i$ are plain numbers. Return $\sum_i p_i\, s'(x - c_i)$ for each answer $x$.
#
# <details><summary>Hint 1</summary><code>x[:, None] - colors</code> holds all errors at once: (M, k).
# <code>clamp(-1, 1)</code> limits the force.</details>
# <details><summary>Hint 2</summary>Divide by beta, then clamp, then weight and sum over the colors. <code>@
# probabilities</code> does the last two at once.</details>


# %%
@check("3.6")
def force(x, colors, probabilities, beta=1.0):
    """Slope of the mean smooth L1 loss, on one axis.

    Answers x (M,), colors (k,), probabilities (k,), beta in ab units -> (M,).
    """
    # BEGIN SOLUTION
    errors = (x[:, None] - colors) / beta  # (M, k)
    return errors.clamp(-1, 1) @ probabilities
    # END SOLUTION


# %% [markdown]
# **Predict.** At which a is the force on an apple's answer zero?

# %% jupyter={"source_hidden": true}
x = torch.linspace(-80, 90, 681, dtype=torch.float64)
fig, axes = panels(1, 2, (4.4, 3.0))
for ax, kind in zip(axes, ("apple", "plum"), strict=True):
    palette = world.palette(kind)
    colors, probabilities = palette.colors[:, 0], palette.probabilities
    for beta, style in ((1.0, "-"), (110.0, "--")):
        pull = force(x, colors, probabilities, beta)
        ax.plot(x, pull, style, color="black", label=f"beta = {beta:g}")
    ax.plot(*palette.mean()[:1], 0, "x", color="tab:blue", markersize=9, label="mean")
    ax.plot(colors, 0 * colors, "o", fillstyle="none", color="tab:blue", label="palette")
    ax.axhline(0, color="0.7", linewidth=0.8)
    ax.set(title=kind, xlabel="answer for a, ab units", ylabel="force")
axes[0].legend(fontsize=8, loc="upper left")
show(
    fig,
    alt="Force against the answer for a. Apple, beta 1: zero all the way from green to "
    "red. Plum, beta 1: zero near 33 only. With beta 110 both are nearly straight lines "
    "through zero at the mean.",
    caption="Negative: the answer is pushed to the right; positive: to the left. With "
    "beta = 1 an apple's answer feels no force anywhere between its two colors. With "
    "beta = 110 the force is zero at the mean alone.",
)

# %% [markdown]
# So for the apple, smooth L1 does not care: green, brown and red cost almost the same on average. For the plum it takes the
# likelier color, violet. With $\beta$ larger than every error it is L2 again, divided by $\beta$.
#
# ### A trap: the unit
#
# Many programs divide ab by 110, so that the network works with numbers between -1 and 1. Smooth L1 with $\beta = 1$ then
# hardly ever leaves its parabola: an error would have to be larger than 110 ab units.
#
# **Predict.** What is left of it then? Here are random colors, and all errors are below 110.

# %%
random = torch.Generator().manual_seed(0)
one_ab, other_ab = (torch.rand(2, 4, 2, 8, 8, generator=random) - 0.5) * 110
print(f"smooth L1 of ab / 110:  {smooth_l1_loss(one_ab / 110, other_ab / 110):.5f}")
print(f"L2 of ab, over 110^2:   {l2_loss(one_ab, other_ab) / 110**2:.5f}")
print(f"smooth L1 of ab:        {smooth_l1_loss(one_ab, other_ab):.5f}")

# %% [markdown]
# L2, divided by $110^2$. Whoever replaces L2 by smooth L1 and goes on dividing by 110 has changed nothing. A loss with a
# threshold has a unit.
#
# ### Train with it
#
# **Predict.** The same network, the same scenes, another loss. Which kinds change their color?

# %%
torch.manual_seed(0)
smooth = SmallNet(outputs=2, width=size.width)
history = fit(
    smooth, world, smooth_l1_loss, size.steps, size.batch_size, size.learning_rate
)

# %% jupyter={"source_hidden": true} tags=["trained"]
show(
    training_curve(
        history.losses, toyruns.band("smooth_l1"), unit="smooth L1 loss (ab units)"
    ),
    alt="The smooth L1 loss falls steeply at first, then slowly.",
    caption="The loss of your training with smooth L1. The band, where it is drawn, "
    "holds our three seeds. The numbers cannot be compared with those of L2.",
)

# %% tags=["trained"]
answer_smooth = ask(smooth, fresh)
inside = kinds.masked_fill(edge, -1)  # edges do not count
said = [by_kind(ab, inside) for ab in (answer_smooth, answer)]
for kind in ("apple", "plum", "tree", "balloon"):
    low, high = ([round(x) for x in c.tolist()] for c in world.palette(kind).smooth_l1())
    print(f"{kind:8} exact, smooth L1: {low}" + (f" to {high}" if low != high else ""))
    if kind in said[0]:
        pair = [[round(x) for x in found[kind].tolist()] for found in said]
        print(f"         networks: smooth L1 {pair[0]}, L2 {pair[1]}")

# %% [markdown]
# These are means over the pixels away from edges. (At edges, by the same logic, smooth L1 should decide for the likelier
# *kind*.) Plums have turned violet and trees green, each to its likeliest color. The balloons stay near gray: for them any a
# and any b from -7 to 7 is as good as any other. For the apple's a the loss has no opinion between green and red. This
# training chose a color near the green end, and so did another with a second seed. Why green, we do not know.
#
# Which network is better? That depends on who asks.

# %% tags=["trained"]
for name, ab in (("L2", answer), ("smooth L1", answer_smooth)):
    distance = (ab - true_ab).norm(dim=1)
    print(f"{name}: mean distance {distance.mean():.1f} ab units, ", end="")
    print(f"L2 loss {l2_loss(ab, true_ab):.0f}, mean chroma {ab.norm(dim=1).mean():.1f}")

# %% [markdown]
# Each network is best by its own kind of measure: smooth L1 lies closer to the truth on average, L2 has the smaller squares.
# Agrawal and Sawhney found smooth L1 closer, too (13.45 against 15.65, table 1), and liked the pictures of L2 better. But
# they measured a Frobenius norm, a root of squares, in a unit they do not name; our reason need not be theirs.
#
# Nor is smooth L1 the way out. It leaves the plum's second color unsaid, and the balloon gray.
#
# ## 7. Does dropout help?
#
# Dropout sets a random part of a layer's values to zero at every step. It keeps a network from learning its examples by
# heart. Agrawal and Sawhney (section 4.2.7, p = 0.4) put it after each batch norm, and report duller colors. Let us try: the
# same network twice, for half as many steps, with and without dropout after each batch norm. (By their words, p is the share
# that is *kept*; here 0.4 is the share set to zero, the milder reading.)


# %%
def with_dropout(network, p):
    """Put dropout with probability p behind each batch norm of a network."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, nn.Sequential(child, nn.Dropout(p)))
    return network


# %% [markdown]
# **Predict.** Every step of our training shows new scenes. What is there for dropout to prevent?

# %%
dropout = {}
for p in (0.0, 0.4):
    torch.manual_seed(0)
    dropout[p] = with_dropout(SmallNet(outputs=2, width=size.width), p)
    steps = size.steps // 2
    fit(dropout[p], world, l2_loss, steps, size.batch_size, size.learning_rate)

# %% tags=["trained"]
for p, trained in dropout.items():
    ab = ask(trained, fresh)
    distance = (ab - best).norm(dim=1).mean()
    print(f"dropout {p:.1f}: L2 loss {l2_loss(ab, true_ab):.0f}, ", end="")
    print(f"{distance:.1f} ab units from the exact mean, ", end="")
    print(f"mean chroma {ab.norm(dim=1).mean():.1f}")

# %% [markdown]
# Dropout makes things worse here, by the loss and by the distance from the exact mean; the colors are a little duller, too. A
# second seed gave the same picture (L2 loss about 117 without, 179 with). Dropout is a cure for learning by heart, and scenes
# that never come twice cannot be learned by heart. Only its noise remains. With few photos, shown again and again, the result
# may differ. And we stopped after 600 steps: whether dropout catches up later, we have not tried.
#
# ## 8. On photos
#
# Photos have no known palettes, but the dice are the same: a car, a shirt, a wall could have many colors. The course ships
# two larger networks of the same design, `l2` and its twin `smooth_l1`, trained on the same photos for as many steps
# (`data/weights/l2.md` tells how). Here are five photos that they have not seen.
#
# **Predict.** Most pixels of a photo are nearly gray. Which of the two losses will then give less color: the one whose best
# answer is the mean, or the one whose best answer is close to the median?

# %%
photos = torch.stack(
    [images.square(images.bundled(name), 256) for name in images.BUNDLED]
)
rows = {"photo": photos}
for name in ("l2", "smooth_l1"):
    colorizer = Colorizer.load(name)
    painted = [colorizer.paint(*colorizer.answer(photo)) for photo in photos]
    rows[name] = torch.cat(painted)  # (5, 3, 256, 256)
chroma = {name: mean_chroma(rgb_to_lab(row)[:, 1:]) for name, row in rows.items()}

# %% jupyter={"source_hidden": true}
titles = [f"{name}: chroma {c:.1f}" for name, row in chroma.items() for c in row]
show(
    pictures([photo for row in rows.values() for photo in row], titles),
    alt="Five photos in three rows: in their own colors, as a network trained with L2 "
    "colors them, and as its twin trained with smooth L1 does: both brownish and pale.",
    caption="Above the photos, in the middle the same with the colors of L2, below with "
    "those of smooth L1. Both lose color in every photo, and what is left is mostly "
    "brownish.",
)

# %%
for name in ("l2", "smooth_l1"):
    found = Colorizer.load(name).results  # what the weights file says of itself
    print(f"{name:9}: mean chroma {found[name]['chroma']:4.1f}", end=" ")
    print(f"on 97 photos whose true mean is {found['truth']['chroma']:.1f}")

# %% [markdown]
# The coffee, the most colorful of the five, keeps less than a quarter of its chroma. Smooth L1 is the duller of the two in
# four of the five photos, and over 97 photos that neither has seen: the median of a photo's colors lies near gray.
#
# Not all of this is due to the loss. The networks are small and have seen few photos, and for photos nobody can compute the
# floor. That is why the toy world came first.
#
# ## 9. Failure gallery
#
# Four ways in which a colorization goes wrong: what you see, why, and how to notice in time.
#
# ### All gray, all brown
#
# You have seen this one: the balloons and the apples. *Symptom*: dull colors where a thing can have many, right ones where it
# can have only one. *Cause*: no mistake of yours; it is the minimum of the loss. *How to notice*: the loss is near its floor.
# More training will not help; another loss may.
#
# For the other three, a plain network will do. It learns scenes of 24 x 24 pixels in seconds.


# %%
class PlainNet(nn.Module):
    """Three convolutions, no batch norm: L (N, 1, H, W) -> ab (N, 2, H/2, W/2)."""

    stride = 2

    def __init__(self, normalize):
        super().__init__()
        self.normalize = normalize
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.ReLU(),
            nn.Conv2d(16, 16, 5, padding=2), nn.ReLU(), nn.Conv2d(16, 2, 1),
        )  # fmt: skip

    def forward(self, lightness):
        x = (lightness - 50) / 50 if self.normalize else lightness
        return 50 * self.layers(x)


# %%
small = ToyWorld(24)


def train_plain(normalize=True, learning_rate=0.004):
    """Train a plain network for 200 steps: -> network, losses."""
    torch.manual_seed(0)
    plain = PlainNet(normalize)
    return plain, fit(plain, small, l2_loss, 200, 16, learning_rate).losses


# %% [markdown]
# ### L not normalized
#
# L runs from 0 to 100. A network works best with inputs around 0, of size 1. Our networks take $(L - 50) / 50$. This line is
# easily forgotten, or written twice.

# %%
sound, sound_losses = train_plain()
raw, raw_losses = train_plain(normalize=False)

# %% tags=["trained"]
for name, losses in (("normalized", sound_losses), ("raw L", raw_losses)):
    last = sum(losses[-50:]) / 50
    print(f"{name}: loss {losses[0]:.0f} at step 1, {last:.0f} at the end")

# %% [markdown]
# *Symptom*: a first loss that is far too large, here by a factor of nearly two hundred, and a poor end. *Cause*: inputs that
# are about fifty times too large make answers that are far too large. The first steps are wasted on getting them small, and
# break a part of the network on the way (counted below). *How to notice*: compare the first loss with that of an all-gray
# answer, as in section 5. A fresh network should not be far above it.
#
# Batch norm rescales whatever comes in, and nearly hides the slip: in a trial of 150 steps, our SmallNet's loss ended only 4
# to 5 % higher with raw L.
#
# ### One color everywhere
#
# The learning rate decides how far each step goes. **Predict.** What happens if it is 250 times as large, 1 in place of
# 0.004?

# %%
wild, wild_losses = train_plain(learning_rate=1.0)

# %% [markdown]
# What the three networks answer for 100 scenes: the mean of their answers, how much b varies (in ab units), and how many of
# the 16 channels of the first and of the second layer are ever above zero.

# %% tags=["trained"]
some = small.scenes(100, seed=2 * 10**6)
overall = some.ab.mean(dim=(0, 2, 3))
print(f"mean color of the world: {[round(x) for x in overall.tolist()]}")
for name, plain in (("sound", sound), ("raw L", raw), ("wild", wild)):
    ab, x = ask(plain, some), some.lightness[:, None]
    x = (x - 50) / 50 if plain.normalize else x
    with torch.inference_mode():
        hidden = [plain.layers[:depth](x) for depth in (2, 4)]  # after each ReLU
    alive = [(h.amax(dim=(0, 2, 3)) > 0).sum().item() for h in hidden]
    print(f"{name}: mean {[round(x) for x in ab.mean(dim=(0, 2, 3)).tolist()]}, ", end="")
    print(f"spread of b {ab[:, 1].std():.1f}, channels alive {alive[0]} and {alive[1]}")

# %% jupyter={"source_hidden": true} tags=["trained"]
constant = l2_loss(overall[None, :, None, None].expand_as(some.ab), some.ab).item()
fig, (ax,) = panels(1, 1, (5.8, 3.2))
for name, losses, style in (
    ("sound", sound_losses, "-"),
    ("raw L", raw_losses, "--"),
    ("learning rate 1", wild_losses, ":"),
):
    ax.plot(range(1, len(losses) + 1), losses, style, label=name)
ax.axhline(constant, color="0.4", linewidth=0.8)
ax.annotate("one color for everything", (150, constant * 1.15), color="0.3", fontsize=8)
ax.set(yscale="log", xlabel="step", ylabel="L2 loss (squared ab units)")
ax.legend(frameon=False)
show(
    fig,
    alt="Loss curves of three trainings on a logarithmic axis. The sound one falls "
    "lowest. With raw L it starts nearly two hundred times too high and ends above the "
    "sound one. With learning rate 1 it leaps up, comes down to the line of a constant "
    "answer, and stays there.",
    caption="Three trainings of the plain network. A loss that stays at the level of one "
    "color for everything means: the network no longer looks at its input.",
)

# %% [markdown]
# *Symptom*: every picture gets the same flat tint, and the loss comes to rest at the level of a constant answer. *Cause*: the
# first giant steps have pushed all channels of a layer below zero, for every input. A ReLU passes nothing from there, not
# even a gradient, so they stay dead. Only the last bias still learns: the mean color of the world. *How to notice*: compute
# the loss of the best constant answer beforehand. *Cure*: a smaller learning rate. With 0.1, the same network learns.
#
# ### a and b swapped
#
# Somewhere between the data and the picture, a and b change places. **Predict.** What color does the sky get, whose true color
# is (-7, -28)? And does the loss notice?

# %% tags=["trained"]
swapped = answer.flip(1)
print(f"swapped on the way to the picture: loss {l2_loss(answer, true_ab):.0f}")
print(f"swapped in the data, too:          loss {l2_loss(swapped, true_ab.flip(1)):.0f}")
print(f"swapped between answer and truth:  loss {l2_loss(swapped, true_ab):.0f}")

# %% jupyter={"source_hidden": true} tags=["trained"]
lightness = fresh.lightness[1:2, None]
show(
    pictures(
        [
            fresh.rgb()[1],
            paint(lightness, answer[1:2])[0],
            paint(lightness, swapped[1:2])[0],
        ],
        ["truth", "network", "a and b swapped"],
        columns=3,
    ),
    alt="A toy scene: true, as colored by the network, and with a and b swapped: a "
    "greenish sky over purple grass.",
    caption="With a and b swapped, the sky turns from blue to green, and the grass "
    "from green to purple.",
)

# %% [markdown]
# *Symptom*: green skies over purple grass. *Cause*: two lines of a program see the order of the channels differently. *How to
# notice*: look at a picture. The loss shows only a swap between answer and truth. If both are swapped in training, every loss
# is exactly what it should be.
#
# ## What the papers say, what we measured
#
# | | the papers | exact optimum, toy world | this lesson, toy world |
# |---|---|---|---|
# | color under L2 | "muted colors", "sepia toned" (Agrawal & Sawhney, 4.2.4) | the mean: apple (8, 38), balloon gray | apple about (7, 37), balloon within 2 of gray |
# | mean chroma under L2 | not reported | 34.0, where the truth has 36.6 | about 34 |
# | L2 loss at the end | not reported | 83, the floor | about 100 |
# | error of L2 against smooth L1 | 15.65 against 13.45, unit not named (Agrawal & Sawhney, table 1) | L2 the mean, smooth L1 near the median | mean distance about 7 against 5.5 ab units |
# | error of L2 without and with dropout | 15.65 against 18.67 (the same table) | the same for both | L2 loss about 113 against 168 |
# | colorizations taken for real | L2 21 %, classification 25 % (Zhang et al., table 1) | | not measured |
#
# **Take away**
# 1. Learn one picture by heart first. Then compare every loss with numbers that you know beforehand: all gray, one color for
#    everything, the floor.
# 2. L2 asks for the mean. Where a thing can have many colors, the mean is duller than they are on average: brown, or gray.
# 3. Smooth L1 asks for something like the median: the likelier color, or, at half and half, anything in between. This depends
#    on the unit.
#
# ## Questions
#
# <details><summary>A fruit is green with probability 0.9 and red with 0.1. What do L2 and L1 answer?</summary>L2: nine parts
# green and one part red, a dull green. L1: the green itself, since more than half of the probability lies there. Neither says
# that the fruit may be red.</details>
# <details><summary>Your loss stops falling. How do you find out if more training will help?</summary>Compare it with the
# floor. On photos, the floor is not known. But you can look where the error is: if things of one color, such as skies, are
# right and only ambiguous things are dull, the loss has what it wants.</details>
# <details><summary>Ten pictures of one gray scene are learned by heart. In one the apple is red, in nine it is green. How
# large will the loss at the apple be, compared with one picture of each?</summary>0.36 of it. The floor of a palette of two
# colors is half their squared distance times p (1 - p), with p the probability of one of them: 0.09 instead of
# 0.25.</details>
# <details><summary>Could a network do better than the floor?</summary>Only if the gray picture told something about the color:
# if red apples were a little darker than green ones, for instance. In the toy world they are not. In photos there may be such
# hints.</details>

# %%
check.scorecard()
