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
# # Lesson 5 · Rare colors: the prior and rebalancing
#
# **Most pixels of natural photos are nearly gray. How does a network learn the few that are not, and what does it cost?**
#
# A loss that counts all pixels the same is mostly about walls, clouds and asphalt. Zhang, Isola and Efros (2016) let a pixel
# count more if its color is rare. You count how rare colors are, turn the counts into weights, and look at what the weights do,
# in the toy world, where the right answer can be computed, and in photos.
#
# After this lesson you can
# - count a prior over the 313 bins, smooth it, and tell a broken one from a sound one;
# - turn a prior into weights, and say what lambda does;
# - say what a rebalanced network converges to, before you train it;
# - say what rebalancing buys, and who pays for it.
#
# | to read and solve | to run | needs |
# |---|---|---|
# | 70 minutes, 5 exercises | 2 to 3 minutes, two short trainings | CPU only, no download |
#
# You should know the bins and soft codes of lesson 2, and the classification loss on the toy world of lesson 4. How exercises
# work: replace the line `raise NotImplementedError` by your answer and run the cell. Whatever the badge says, you can go on.
# Cells that only draw are folded; a click on the three dots opens them.

# %%
import torch
import torch.nn.functional as F

from colorize import images, toyruns
from colorize.bins import gamut_bins, nearest_bin, soft_encode
from colorize.check import check
from colorize.colorizer import Colorizer
from colorize.decode import annealed_mean, paint
from colorize.figures import (
    ab_plane,
    name_row,
    panels,
    picture,
    pictures,
    show,
    training_curve,
)
from colorize.lab import rgb_to_lab
from colorize.losses import classification
from colorize.metrics import auc, mean_chroma
from colorize.networks import SmallNet
from colorize.prior import load_prior
from colorize.toyworld import ToyWorld, total_variation
from colorize.training import fit

# %% [markdown]
# ## 1. Count
#
# A **prior** says how frequent each color is before you have seen the picture. The simplest one is a count: which share of all
# pixels lies in each bin? Here are the five photos of this course.

# %%
photos = torch.stack(
    [images.square(images.bundled(name), 256) for name in images.BUNDLED]
)
ab = rgb_to_lab(photos)[:, 1:]  # (5, 2, 256, 256)
centers = gamut_bins()  # (313, 2)

# %% [markdown]
# ### Exercise 5.1 · Count the colors
# ●○○○○ · 5 minutes
#
# Return the share of each of the 313 bins among all pixels of a batch. `nearest_bin(ab)`, known from lesson 2, gives the number
# of each pixel's bin: (N, 2, H, W) -> (N, H, W).
#
# <details><summary>Hint 1</summary><code>torch.bincount</code> counts how often 0, 1, 2, ... occur in a list of whole
# numbers. What does it do with bins after the last one that occurs?</details>
# <details><summary>Hint 2</summary>Flatten the bin numbers, count with <code>minlength=313</code>, divide by the
# sum.</details>


# %%
@check("5.1")
def color_prior(ab):
    """Share of each bin among all pixels: ab (N, 2, H, W) -> (313,), sums to 1."""
    # BEGIN SOLUTION
    count = torch.bincount(nearest_bin(ab).flatten(), minlength=313)
    return count / count.sum()
    # END SOLUTION


# %%
five = color_prior(ab)
share, number = five.sort(descending=True)
for s, (a, b) in zip(share[:5], centers[number[:5]].tolist(), strict=True):
    print(f"({a:3.0f}, {b:3.0f})  {s:.1%}")
print(f"{int((five == 0).sum())} of 313 bins hold no pixel at all")

# %% [markdown]
# Five photos are too few to call a color rare. The course ships a count over 713 ImageNet photos, 62 million pixels.
# There each photo counts the same, whatever its size.
#
# **Predict.** The square with a and b from -15 to 15 holds 9 of the 313 bins. Which share of the pixels do these 9 bins
# hold: 3 %, 20 %, or 60 %?

# %%
counted = load_prior(smoothed=False)  # (313,)
near_gray = (centers.abs() <= 10).all(dim=1)
print(f"{int(near_gray.sum())} bins near gray hold {counted[near_gray].sum():.0%}")
print(f"the bin of gray alone, (0, 0), holds {counted[120]:.3f}")
share = counted.sort(descending=True).values.cumsum(dim=0)
for part in (0.5, 0.9, 0.99):
    print(f"{part:.0%} of the pixels lie in {int((share < part).sum()) + 1} bins")
print(f"bins that never occur: {int((counted == 0).sum())}")

# %% [markdown]
# 64 %. A loss that counts every pixel the same hears half of the time of only three bins: gray and two neighbors of it.
#
# 69 bins never occur. 52 of them are never the nearest bin of a color that a screen can show (lesson 2). The other 17 are rare,
# not impossible; a count over 713 photos cannot tell the difference.
#
# ## 2. Smooth
#
# The paper smooths the counts with the Gaussian of the soft codes, sigma 5. Bin $q$ keeps a part of its share $p_q$ and
# gives the rest to its neighbors. Let $d_{qr}$ be the distance between the centers of the bins $q$ and $r$. Then $q$
# gives to $r$ the fraction
#
# $$ s_{qr} = \frac{e^{-d_{qr}^2 / 2\sigma^2}}{\sum_t e^{-d_{qt}^2 / 2\sigma^2}}, \qquad \tilde p_r = \sum_q p_q\, s_{qr}, $$
#
# where $t$ runs over all bins, so that what a bin keeps and gives sums to 1, and $\tilde p_r$ is the smoothed share of bin $r$.
# The paper does not say what happens at the rim, where neighbors are missing. With this formula nothing is lost there.
#
# ### Exercise 5.2 · Smooth in the plane
# ●●●○○ · 10 minutes
#
# Smooth a prior. `centers` holds the bins as points of the ab plane.
#
# <details><summary>Hint 1</summary><code>torch.cdist(centers, centers)</code> holds all distances, (Q, Q). Turn them into a
# table in which each row says where the share of one bin goes.</details>
# <details><summary>Hint 2</summary>A softmax over dim 1 of -d² / (2 sigma²) is the fraction above. Then
# <code>prior @ table</code> adds up what each bin receives.</details>


# %%
@check("5.2")
def smooth_prior(prior, centers, sigma=5.0):
    """Spread each share over the plane: prior (Q,), centers (Q, 2) -> (Q,), same sum."""
    # BEGIN SOLUTION
    squared = torch.cdist(centers, centers) ** 2
    spread = torch.softmax(-squared / (2 * sigma**2), dim=1)  # (Q, Q), rows sum to 1
    return prior @ spread
    # END SOLUTION


# %%
prior = smooth_prior(counted, centers)
print(f"share of (0, 0): {counted[120]:.3f} counted, {prior[120]:.3f} smoothed")
print(f"bins with share 0: {int((counted == 0).sum())} and {int((prior == 0).sum())}")
difference = (prior - load_prior()).abs().max()
print(f"largest difference from the library's smoothed prior: {difference:.0e}")

# %% jupyter={"source_hidden": true}
fig, axes = panels(1, 2, (4.6, 3.8))
for p, style, name in ((counted, "o", "counted"), (prior, "-", "smoothed")):
    line = p[p > 0].sort(descending=True).values
    axes[0].semilogy(range(1, len(line) + 1), line, style, label=name, markersize=2.5)
axes[0].set(xlabel="bins, the most frequent first", ylabel="share (logarithmic)")
axes[0].set(ylim=(1e-8, 1), title="how rare is rare?")
axes[0].legend(frameon=False)
ab_plane(axes[1], "the smoothed prior", lightness=None)
log = prior.clamp(min=1e-8).log10()
dots = axes[1].scatter(*centers.T, s=3 + 7 * (log + 8), c=log, cmap="Greys", vmin=-9)
fig.colorbar(dots, ax=axes[1], label="share, power of ten", shrink=0.8)
show(
    fig,
    alt="Left: shares of the bins on a logarithmic scale, falling over seven powers of "
    "ten. Right: the bins in the ab plane as dots, large and dark near gray.",
    caption="Left: the counts end after 244 bins, the smoothed shares go on. Right: the "
    "larger and darker a dot, the more frequent its color. From gray outward, shares "
    "fall by a power of ten roughly every 20 units.",
)

# %% [markdown]
# ## 3. Weights
#
# A pixel should count more if its color is rare. The obvious weight, one over the smoothed share, goes too far: the rarest bin
# would count 67 billion times as much as the most frequent one. So the paper first mixes the prior with equal shares. With
# $Q = 313$ bins and a number $\lambda$ between 0 and 1,
#
# $$ w_q \propto \frac{1}{(1 - \lambda)\, \tilde p_q + \lambda / Q}, \qquad \text{scaled so that } \sum_q \tilde p_q w_q = 1. $$
#
# $\lambda = 1$ gives all bins the weight 1, $\lambda = 0$ the full inverse. The paper takes 1/2. The scale makes the mean
# weight of a pixel 1, so that the loss keeps its usual size.
#
# ### Exercise 5.3 · How much a rare color counts
# ●●○○○ · 10 minutes
#
# Return the weights. $\tilde p$ is `prior`, $Q$ its length (not always 313), $\lambda$ is `lam`.
#
# <details><summary>Hint 1</summary>Mix, invert, scale: three lines.</details>
# <details><summary>Hint 2</summary>Divide by <code>(prior * weight).sum()</code>, not by the mean over the bins: a pixel
# is seldom in a rare bin.</details>


# %%
@check("5.3")
def rebalancing_weights(prior, lam=0.5):
    """Weight of each bin: prior (Q,) -> (Q,), where the sum of prior * weight is 1."""
    # BEGIN SOLUTION
    mixture = (1 - lam) * prior + lam / len(prior)
    weight = 1 / mixture
    return weight / (prior * weight).sum()
    # END SOLUTION


# %% [markdown]
# **Predict.** At lambda 1/2: by which factor does gray count less than the average pixel, and the rarest color more? By 2, 10
# or 100?

# %%
print("lambda   smallest    largest     ratio")
for lam in (0, 0.25, 0.5, 0.75, 1):
    least, most = rebalancing_weights(prior, lam).aminmax()
    print(f"{lam:6} {least:10.3f} {most:10.3g} {most / least:9.3g}")

# %% jupyter={"source_hidden": true}
fig, (ax,) = panels(1, 1, (5.6, 3.4))
order = prior.sort(descending=True)
for lam, style in zip((0, 0.25, 0.5, 0.75, 1), ("-", "--", "-", "-.", ":"), strict=True):
    weight = rebalancing_weights(prior, lam)[order.indices]
    color = "black" if lam == 0.5 else "0.55"
    ax.loglog(order.values, weight, style, color=color)
    at = (1.1e-4, 38) if lam == 0 else (1.3e-8, 1.15 * weight[-1])
    ax.annotate(f"lambda {lam:g}", at, color=color)
ax.set(xlim=(1e-8, 0.4), ylim=(0.01, 60))
ax.set(xlabel="share of the bin (logarithmic)", ylabel="weight (logarithmic)")
show(
    fig,
    alt="Weight against share, both logarithmic, for five lambdas. Lambda 0 rises "
    "without end to the left; the others level off.",
    caption="The equal shares put a ceiling on the weight. At lambda 1/2 all bins with a "
    "share well below 1/313 = 0.003 count about the same.",
)

# %% [markdown]
# At lambda 1/2, gray counts an eleventh as much as the average pixel, and the rarest color six times as much: a factor of 69
# between them. What does it do to photos? We split the weight of the five photos between pixels near gray (a and b from -15 to
# 15) and the others.


# %%
def weight_near_gray(weights):
    """Share of the five photos' weight on pixels near gray: weights (313,) -> number."""
    near = (ab.abs() <= 15).all(dim=1)  # (5, 256, 256)
    weight = weights.float()[nearest_bin(ab)]
    return (weight[near].sum() / weight.sum()).item()


weights = rebalancing_weights(prior)
print(f"equal weights:  {weight_near_gray(torch.ones(313)):.0%} near gray")
print(f"lambda 1/2:     {weight_near_gray(weights):.0%} near gray")

# %% [markdown]
# The mean weight of a pixel is 1 over many photos, but not in each of them:

# %%
for name, weight in zip(images.BUNDLED, weights[nearest_bin(ab)], strict=True):
    print(f"{name:18} mean weight {weight.mean():.1f}")

# %% [markdown]
# ## 4. Forward or backward?
#
# The authors' code does not multiply the loss. It leaves the loss as it is, and multiplies the *gradient* on its way back. Does
# it matter?
#
# Take one pixel with logits $z$ and soft code $t$ (its true color). Its cross-entropy $-\sum_q t_q \ln \text{softmax}(z)_q$ has
# the gradient $\text{softmax}(z) - t$ with respect to $z$ (lesson 4). This gradient is all that training sees of a loss.
#
# ### Exercise 5.4 · The gradient of a pixel that counts
# ●●●○○ · 15 minutes
#
# The loss of M pixels is the *mean* of $v_i\, \cdot$ (cross-entropy of pixel $i$). $v_i$ is the weight of the pixel's
# nearest bin, which is the largest entry of its soft code. Write the gradient of this loss with respect to the
# logits, without autograd.
#
# <details><summary>Hint 1</summary>The weight is a factor, and so is 1/M. Each pixel has one weight, not one for each
# bin.</details>
# <details><summary>Hint 2</summary><code>bin_weight[target.argmax(dim=1)]</code> has shape (M,); give it a last
# dimension of 1.</details>


# %%
@check("5.4")
def weighted_gradient(logits, target, bin_weight):
    """Gradient of the weighted loss: logits, target (M, Q), bin_weight (Q,) -> (M, Q)."""
    # BEGIN SOLUTION
    weight = bin_weight[target.argmax(dim=1)]  # (M,)
    error = logits.softmax(dim=1) - target
    return weight[:, None] * error / len(logits)
    # END SOLUTION


# %% [markdown]
# Now the same in three ways, for 1,000 pixels of the coffee photo and random logits: your formula; autograd with the weight in
# the loss; autograd with the plain loss, and a hook that multiplies the gradient as it comes back.

# %%
index, code = soft_encode(ab[2:3].double())  # (1, 5, 256, 256) each
index, code = (part[0].flatten(1).T[::65][:1000] for part in (index, code))  # (1000, 5)
target = torch.zeros(1000, 313).double().scatter(1, index, code)
logits = torch.randn(1000, 313, generator=torch.Generator().manual_seed(0)).double()
weights = weights.double()
pixel_weight = weights[index[:, 0]]  # (1000,)

# %%
forward = logits.clone().requires_grad_()
loss = F.cross_entropy(forward, target, reduction="none")
weighted_loss = (pixel_weight * loss).mean()
weighted_loss.backward()

backward = logits.clone().requires_grad_()
backward.register_hook(lambda gradient: gradient * pixel_weight[:, None])
plain_loss = F.cross_entropy(backward, target)
plain_loss.backward()

# %%
yours = weighted_gradient(logits, target, weights)
print(f"yours and forward:    {(yours - forward.grad).abs().max():.0e}")
print(f"forward and backward: {(forward.grad - backward.grad).abs().max():.0e}")
print(f"logged loss: {weighted_loss:.2f} weighted forward, {plain_loss:.2f} plain")

# %% [markdown]
# The gradients agree to the last digits, so training takes the same steps. Only the number in the log differs: with the weight
# in the backward pass one reads the plain loss, which training does *not* minimize. This course multiplies forward: its curves
# show what is minimized.
#
# **A trap.** PyTorch's `F.cross_entropy` has an argument `weight`. **Predict**: does it do the same?

# %%
trap = logits.clone().requires_grad_()
F.cross_entropy(trap, target, weight=weights).backward()
off = (trap.grad - forward.grad).norm() / forward.grad.norm()
print(f"its gradient is off by {off:.0%} of the right one")

# %% [markdown]
# With soft targets it weights each *bin* of the code, not the pixel: neighbors of a frequent color are pulled up, because they
# are rarer. With single bins as targets it divides by the sum of the weights in the batch, so that a batch without rare colors
# counts as much as one full of them. Neither is the paper's loss.
#
# ## 5. A world with a rare kind
#
# Back to the toy world of lessons 3 and 4, where the palette of every kind of thing is known. Two kinds are made for this
# lesson. A **kite** is always one vivid orange-red, but it fills less than 0.1 % of the pixels. A **tulip** is gray in 85 % of
# cases and vivid pink in 15 %.

# %%
size = toyruns.size()
world = ToyWorld(size.scene)
toy_prior = toyruns.toy_prior(world)  # (313,), counted in 500 scenes
toy_weights = rebalancing_weights(toy_prior)
print(f"{int((toy_prior > 0).sum())} bins occur in the toy world")

# %% [markdown]
# Three scenes with a kite and a tulip. In the third, a tulip is pink.

# %% jupyter={"source_hidden": true}
found = world.scenes(600, seed=51)
kite, tulip = (world.kinds.index(name) for name in ("kite", "tulip"))
pixels = [(found.kind == number).sum(dim=(1, 2)) for number in (kite, tulip)]
score = torch.minimum(*pixels)
pink = ((found.kinds == tulip) & (found.choices == 1)).any(dim=1)  # a pink tulip
chosen = torch.cat((score.topk(2).indices, (score * pink).topk(1).indices))
scenes = found.rgb()[chosen]
show(
    pictures(
        scenes,
        [f"kite {int(pixels[0][k])}, tulip {int(pixels[1][k])}" for k in chosen],
        3,
    ),
    alt="Three toy scenes with sky and grass; each has a small kite in the air and a "
    "tulip on the grass. The titles tell how many pixels these fill.",
    caption=f"The numbers are pixels, of {size.scene * size.scene} in a scene.",
)

# %% [markdown]
# **Predict.** The kite's color is rare, so its weight is large. Which share of the whole loss is about kites with
# rebalancing: 0.1 %, 1 %, or 10 %?
#
# The expected weight of a pixel of one kind is $\sum_i p_i v_i$ over the colors $i$ of its palette, with probabilities $p_i$
# and weights $v_i$ (of the nearest bin). The kind's share of all weight is that, times its share of the pixels.


# %%
def palette_weights(name):
    """Weight of each color of a kind, by its nearest bin: -> (k,) float64."""
    colors = world.palette(name).colors  # (k, 2)
    return toy_weights[nearest_bin(colors.T[None, :, :, None]).flatten()]


print(f"{'':8} share of pixels   mean weight   share of weight")
for name, share in zip(world.kinds, world.shares(), strict=True):
    weight = (world.palette(name).probabilities * palette_weights(name)).sum()
    print(f"{name:8} {share:12.2%} {weight:14.2f} {share * weight:14.1%}")

# %% [markdown]
# The kites get about 1 % of the weight: more than ten times their share of the pixels, and still not much. Sky and grass have
# three quarters of the pixels, but an eighth of the weight. The largest share, a fifth, goes to the balloons: most of their
# hues are rare.
#
# ### Exercise 5.5 · What a rebalanced network believes
# ●○○○○ · 5 minutes
#
# What will the network answer? A thing has color $i$ with probability $p_i$. Every pixel of color $i$ now counts $v_i$ times.
# To the loss this is a world in which the color occurs $v_i$ times as often. So the best answer is no longer $p_i$. Write it.
#
# <details><summary>Hint 1</summary>Two colors, probabilities 0.8 and 0.2, weights 1 and 12. To the loss they occur like
# 0.8 and 2.4.</details>
# <details><summary>Hint 2</summary>Multiply; divide by the sum, so that the result sums to 1.</details>


# %%
@check("5.5")
def rebalanced(probabilities, weights):
    """What a weighted loss makes of probabilities: (k,), (k,) -> (k,), sums to 1."""
    # BEGIN SOLUTION
    counted = probabilities * weights
    return counted / counted.sum()
    # END SOLUTION


# %% [markdown]
# Is it true for soft codes, too? `Palette.posterior` computes the exact optimum over all 313 bins. The colors' soft codes,
# mixed with your probabilities, should equal it.

# %%
for name in ("tulip", "plum", "balloon"):
    palette = world.palette(name)
    belief = rebalanced(palette.probabilities, palette_weights(name))
    index, code = soft_encode(palette.colors.T[None, :, :, None])  # (1, 5, k, 1)
    share = (code[0, ..., 0] * belief).flatten()
    mixture = torch.zeros(313).double().index_add(0, index.flatten(), share)
    exact = palette.posterior(soft=True, bin_weight=toy_weights)
    print(
        f"{name:8} {total_variation(mixture, exact):.0e}",
        [round(x, 3) for x in belief.tolist()],
    )

# %% [markdown]
# The two agree to the last digits. So rebalancing does not repair the network's answer to the old question; it asks another
# question. A network that has learned the rebalanced loss perfectly says of a tulip: 72 % pink. That is false: 15 % of the
# tulips are.
#
# **Question.** All six hues of the balloon are equally likely. Why has the fifth nearly vanished?
# <details><summary>Answer</summary>It is blue, (-8, -29), and falls into the bin of the sky, the most frequent color of the
# toy world. A blue balloon is as rare as a red one. But a weight belongs to a color, not to a thing.</details>
#
# ## 6. Train with and without
#
# The same network, the same scenes, the same seed; only the loss differs.

# %%
torch.manual_seed(0)
plain = SmallNet(width=size.width)
history = fit(
    plain, world, classification(), size.steps, size.batch_size, size.learning_rate
)

# %%
torch.manual_seed(0)
weighted = SmallNet(width=size.width)
loss = classification(toy_weights)
weighted_history = fit(
    weighted, world, loss, size.steps, size.batch_size, size.learning_rate
)

# %% jupyter={"source_hidden": true} tags=["trained"]
for run, name, weight in (
    (history, "classification", None),
    (weighted_history, "rebalanced", toy_weights),
):
    floor = world.cross_entropy_floor(found.kind, soft=True, bin_weight=weight)
    show(
        training_curve(run.losses, toyruns.band(name), floor, f"loss (nats), {name}"),
        alt=f"Training curve of the loss {name}: it falls steeply, then slowly toward "
        "its floor, a dashed line.",
        caption=f"{name}: the mean of the last 50 losses is "
        f"{sum(run.losses[-50:]) / 50:.2f}, the floor {floor:.2f}. It started near "
        f"{run.losses[0]:.1f}.",
    )

# %% [markdown]
# Both come close to their floors. Do not compare the two losses with each other: they weight the pixels differently.
#
# First the kite: one color, no doubt about it, but hardly any pixels. As in lesson 4, `toyruns.answers` averages a network's
# distributions over the pixels of each kind in 200 new scenes. We compare the average with the exact optimum, by total
# variation: 0 if equal, 1 if they have nothing in common.
#
# **Predict.** Which of the two networks knows the kite better?

# %%
answers = {
    "plain": toyruns.answers(plain, world),
    "rebalanced": toyruns.answers(weighted, world),
}
optimum = {
    "plain": lambda palette: palette.posterior(soft=True),
    "rebalanced": lambda palette: palette.posterior(soft=True, bin_weight=toy_weights),
}


def distance(which, name):
    """Total variation of a network's mean answer at a kind from the exact optimum."""
    exact = optimum[which](world.palette(name))
    return total_variation(answers[which][name], exact).item()


# %% tags=["trained"]
print(f"{'':8} plain   rebalanced   (distance from each one's own optimum)")
for name in world.kinds:
    a, b = distance("plain", name), distance("rebalanced", name)
    print(f"{name:8} {a:5.2f} {b:10.2f}")
others = [name for name in world.kinds if name != "kite"]
worst = max(distance(which, name) for which in answers for name in others)
print(f"worst but for the kite: {worst:.2f} (what has been learned lies below 0.15)")

# %% [markdown]
# At a kite, the plain network gives much of its probability to other colors, half to nine tenths of it in our trainings; the
# rebalanced one less than a fifth. The kite has a single color, so the weights have not moved its optimum. They have let it be
# heard: with 15 times the weight, the same 1,200 steps teach it more.
#
# Now look at the grass. Its weight fell to a fifth, and it is learned less well. So is the sky. What rare kinds gain, frequent
# ones lose.

# %% jupyter={"source_hidden": true} tags=["trained"]
lightness = rgb_to_lab(scenes)[:, :1]
rows = [scenes]
for network in (plain, weighted):
    with torch.inference_mode():
        rows.append(paint(lightness, annealed_mean(network(lightness))))
titles = ("true", "plain", "rebalanced")
fig, axes = panels(3, 3, (2.2, 2.5))
for ax, (title, scene) in zip(
    axes, [(t, s) for t, row in zip(titles, rows, strict=True) for s in row], strict=True
):
    chroma = mean_chroma(rgb_to_lab(scene[None])[:, 1:]).item()
    picture(ax, scene, f"{title}, chroma {chroma:.0f}")
show(
    fig,
    alt="Three toy scenes in three rows: true colors, colors of the plain network, "
    "colors of the rebalanced one.",
    caption="The annealed mean at T = 0.38. Rebalanced, every tulip is pink, and the "
    "trees are olive, between green and orange. The balloons are gray or nearly so in "
    "both.",
)

# %% [markdown]
# ## 7. Predicted and measured
#
# How much of a network's answer belongs to each color of a palette? Give each bin to the nearest color of the palette, and add
# up. Beside it stands the prediction of exercise 5.5.


# %%
def color_shares(answer, palette):
    """Share of each color of the palette in an answer: (313,) -> (k,)."""
    owner = torch.cdist(centers.double(), palette.colors).argmin(dim=1)  # (313,)
    return torch.bincount(owner, answer, minlength=len(palette.colors))


# %% tags=["trained"]
print(f"{'color':20} true   plain   predicted   rebalanced")
for name in ("tulip", "plum", "tree", "apple", "roof", "balloon"):
    palette = world.palette(name)
    belief = rebalanced(palette.probabilities, palette_weights(name))
    measured = [color_shares(answers[w][name], palette) for w in answers]
    for k, (a, b) in enumerate(palette.colors.tolist()):
        true, said = palette.probabilities[k], [m[k] for m in measured]
        print(f"{name:8}({a:4.0f}, {b:4.0f}) {true:4.2f} {said[0]:7.2f}", end=" ")
        print(f"{belief[k]:9.2f} {said[1]:12.2f}")

# %% [markdown]
# Without rebalancing the network answers the palette. With it, it answers what exercise 5.5 predicted, within a few hundredths.
# The plum and the tree move toward their rarer color; the apple, with two equally rare colors, hardly moves; the blue balloon
# is gone. The third color of the roof, with probability 0.1, becomes *less likely*: other things have it, too.
#
# How do the probabilities depend on lambda? We need no more training to know.

# %% jupyter={"source_hidden": true}
fig, (ax,) = panels(1, 1, (5.6, 3.4))
lams = torch.linspace(0.02, 1, 50)
shown = (("tulip", 1, "tulip: pink", "-"), ("plum", 1, "plum: yellow", "--"))
shown += (("tree", 1, "tree: orange", "-."), ("balloon", 4, "balloon: blue", ":"))
for name, k, label, style in shown:
    palette = world.palette(name)
    bin_number = nearest_bin(palette.colors.T[None, :, :, None]).flatten()
    line = []
    for lam in lams.tolist():
        weight = rebalancing_weights(toy_prior, lam)[bin_number]
        line.append(rebalanced(palette.probabilities, weight)[k])
    ax.plot(lams, line, style, color="black", label=label)
ax.axvline(0.5, color="0.7", linewidth=1)
ax.set(xlabel="lambda (1: no rebalancing)", ylabel="probability of the color")
ax.set(ylim=(0, 1))
ax.legend(frameon=False)
show(
    fig,
    alt="Probability of four rare colors against lambda. Tulip, plum and tree rise "
    "toward lambda 0; the blue balloon falls.",
    caption="What the best answer says, by exercise 5.5. At the right the true "
    "probability, at the gray line the paper's lambda. The blue balloon has the color of "
    "the sky.",
)

# %% [markdown]
# A smaller lambda does more, good and bad alike. No lambda is right: 1 is true to the palette, and anything below trades truth
# for rare colors.
#
# What does the trade cost in ab units? We read out the exact optimum with the annealed mean at T = 0.38 (lesson 2), and take
# the mean distance to the true color, over the colors of the palette. **Predict**: does rebalancing bring the tulips nearer to
# the truth?

# %%
for name in ("tulip", "plum"):
    palette = world.palette(name)
    for label, weight in (("plain", None), ("rebalanced", toy_weights)):
        color = palette.annealed_mean(0.38, soft=True, bin_weight=weight)
        off = (palette.colors - color).norm(dim=1) @ palette.probabilities
        a, b = color.tolist()
        print(f"{name}, {label:10} shows ({a:4.1f}, {b:5.1f}),", end=" ")
        print(f"chroma {color.norm():.0f}, mean distance from the truth {off:.0f}")

# %% [markdown]
# No: 30 ab units farther away. The plain answer is gray, and right in 85 % of cases. The rebalanced one is pink, and right in
# 15 %. The plum loses, too: two colors at nearly equal odds meet in the middle, so that its chroma *falls*, from 37 to 25.
# Rebalancing makes rare colors likelier. It makes a picture more colorful only where the frequent color was the dull one.
#
# And the trained networks? The distance of the shown color from the truth, in 200 new scenes:

# %%
test = world.scenes(200, seed=52)


def errors(network):
    """Mean distance of the shown color from the truth, at each kind and over all."""
    with torch.inference_mode():
        parts = test.lightness[:, None].split(50)
        color = torch.cat([annealed_mean(network(part)) for part in parts])
    off = (color - test.ab[..., ::2, ::2]).norm(dim=1)  # the network has stride 2
    kind = test.kind[:, ::2, ::2]
    found = {name: off[kind == k].mean().item() for k, name in enumerate(world.kinds)}
    return found | {"all": off.mean().item()}


# %% tags=["trained"]
plain_errors, weighted_errors = errors(plain), errors(weighted)
print(f"{'':8} plain   rebalanced   (ab units)")
for name in ("tulip", "plum", "grass", "sky", "all"):
    print(f"{name:8} {plain_errors[name]:5.1f} {weighted_errors[name]:10.1f}")

# %% tags=["no-compare"]
print(f"{'kite':8} {plain_errors['kite']:5.1f} {weighted_errors['kite']:10.1f}")

# %% [markdown]
# The kite wins: in our trainings, 24 to 38 units became 5 or 6. Tulip, plum and grass lose, and over all pixels rebalancing
# costs 1 or 2 ab units.
#
# Then why do it at all? Because in photos the frequent color is the dull one (section 1).
#
# ## 8. On photos
#
# Two larger networks come with the course. They were trained alike on the same photos, one with the plain loss, one with the
# rebalanced loss at lambda 1/2.
#
# **Predict.** Which will have the larger chroma? Which will be nearer to the true colors?

# %%
names = ("classification", "rebalanced")
colored = {}
for name in names:
    colorizer = Colorizer.load(name)
    pictures_of = [images.to_tensor(colorizer.colorize(photo)) for photo in photos]
    colored[name] = torch.stack(pictures_of)  # (5, 3, 256, 256)

# %% jupyter={"source_hidden": true}
rows = dict(
    zip(("original", "plain", "rebalanced"), (photos, *colored.values()), strict=True)
)
fig, axes = panels(3, 5, (2.1, 2.35))
for row, (title, batch) in zip(axes.reshape(3, 5), rows.items(), strict=True):
    chroma = mean_chroma(rgb_to_lab(batch)[:, 1:])
    for ax, image, c in zip(row, batch, chroma, strict=True):
        picture(ax, image, f"chroma {c:.1f}")
    name_row(row[0], title)
show(
    fig,
    alt="Five photos in three rows: original, colored by the plain network, colored by "
    "the rebalanced one. The chroma stands above each.",
    caption="The plain network is duller than the photo in all five, the rebalanced one "
    "more colorful than the plain one in all five, and than the photo itself in all but "
    "the coffee (the cat: by a hair).",
)

# %%
print(f"{'':18} chroma: true plain rebalanced   error: gray plain rebalanced")
guesses = [rgb_to_lab(colored[name])[:, 1:] for name in names]
for k, name in enumerate(images.BUNDLED):
    chroma = [mean_chroma(x[k : k + 1]).item() for x in (ab, *guesses)]
    error = [(x[k] - ab[k]).norm(dim=0).mean().item() for x in (ab * 0, *guesses)]
    print(f"{name:18} {chroma[0]:12.1f} {chroma[1]:5.1f} {chroma[2]:10.1f}", end=" ")
    print(f"{error[0]:13.1f} {error[1]:5.1f} {error[2]:10.1f}")

# %% [markdown]
# The plain network is nearer to the truth than gray in all five photos. The rebalanced one has three to seven times its chroma.
# In three photos (cat, coffee, rocket) its mean error is the smallest, although it paints the cat partly green and the coffee
# partly blue. In the other two (astronaut, motorcycle) its colors are vivid and wrong; gray would have been nearer.
#
# Five photos prove little. Each network's file also holds what was measured on 97 photos that neither had seen, squares of 128
# pixels. The raw AuC asks how near to the truth the pixels are, all counted the same; in the rebalanced AuC rare colors count
# more (lesson 8). **Predict**: which of the two goes up with rebalancing?

# %%
results = {}  # what the weights files say of themselves
for name in names:
    results |= Colorizer.load(name).results
for name in ("gray", *(f"{name}, T = 0.38" for name in names)):
    raw, fair = results[name]["raw_auc"], results[name]["rebalanced_auc"]
    print(f"{name:24} raw AuC {raw:.1f} %, rebalanced AuC {fair:.1f} %")

# %% [markdown]
# With rebalancing the raw AuC falls, here below that of gray, and the rebalanced AuC rises. The paper reports the same
# directions (its raw AuC falls less and stays above gray). Neither number asks how the picture looks. The paper asked people:
# 25 % of the plain network's pictures passed for real, 32 % of the rebalanced one's.
#
# Rebalancing weights the pixels of a classification. Can a regression profit from it? The paper tried: "L2, ft" is an L2
# network that starts from the rebalanced one, with a new last layer. Ours is `l2_tuned`. **Predict**: is it nearer to `l2`,
# trained from scratch, or to the network that it started from?

# %%
for name in ("l2", "l2_tuned", "rebalanced, T = 1"):
    found = Colorizer.load(name.split(",")[0]).results[name]
    raw, fair = found["raw_auc"], found["rebalanced_auc"]
    print(f"{name:17} raw AuC {raw:.1f} %, rebalanced AuC {fair:.1f} %", end=", ")
    print(f"chroma {found['chroma']:.1f}")

# %% [markdown]
# The rebalanced AuC rises a little, as in the paper (64.4 % to 66.2 %); lesson 8 asks whether so small a gain is more than
# chance. But it is an L2 network again: its chroma is close to that of `l2`.
#
# ## 9. Failure gallery
#
# Three ways in which a prior goes wrong. All three have happened in published code or to people who used it, and none gives an
# error message.
#
# ### A zero in the denominator
#
# Take the prior as counted, with its 69 zeros, and lambda 0.

# %%
inverse = 1 / counted
print(f"{int(inverse.isinf().sum())} weights are infinite")
print("after scaling:", (inverse / (counted * inverse).sum())[:3].tolist())

# %% [markdown]
# **Symptom**: the loss is NaN in the first step. **Cause**: zero times infinity in the scale. At lambda 1/2 a zero does no
# harm: $0 + \lambda / Q$ is not zero, and the bin gets the largest weight, 2 Q before scaling, without ever being met.
#
# Smoothing removes the zeros, not the problem. **Predict**: at lambda 0, which share of the weight of the five photos lies on
# the 1 % of pixels that count most?

# %%
for lam in (0, 0.5, 1):
    weight = rebalancing_weights(prior, lam)[nearest_bin(ab)].flatten().double()
    top = weight.topk(len(weight) // 100).values.sum() / weight.sum()
    print(f"lambda {lam:3}: largest weight {weight.max():6.1f}, top 1 % carry {top:.0%}")

# %% [markdown]
# The *rebalanced AuC* (the AuC, with each pixel weighted by one over the share of its true bin) has no lambda to save it. If
# the shares are counted on photos other than the scored ones, a single pixel can break it:

# %%
for k, name in enumerate(images.BUNDLED):
    others = color_prior(torch.cat((ab[:k], ab[k + 1 :])))
    pixel_share = others[nearest_bin(ab[k : k + 1])]  # (1, 256, 256)
    unseen = int((pixel_share == 0).sum())
    print(f"{name:18} {unseen:5} pixels in bins that the other four never hold", end="")
    try:
        score = auc(ab[k : k + 1] * 0, ab[k : k + 1], 1 / pixel_share)
        print(f"; gray scores {score:.1%}")
    except ValueError as error:
        print(";", str(error).split(",")[0])
score = auc(ab * 0, ab, 1 / five[nearest_bin(ab)])
print(f"all five, with their own shares: gray scores {score:.1%}")

# %% [markdown]
# **How to notice**: the course's `auc` refuses. A hand-written one returns NaN, or a score that is about those few pixels alone.
# **Cure**: count the shares on the scored photos themselves, where every true bin occurs.
#
# ### Smoothing along the list
#
# The list of bins runs through the plane line by line: all b of a = -90, then all b of a = -80, and so on. It is tempting to
# smooth the 313 numbers like a curve, and a public reimplementation of the paper does so. Below, smoothing along the list and
# in the plane, both from a prior that is all pure red. Its bin is the last of its line.

# %%
pure_red = rgb_to_lab(torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1))[:, 1:]
all_red = color_prior(pure_red).float()
place = 10.0 * torch.arange(313)  # in the list, as if in ab units
place = torch.stack((place, 0 * place), dim=1)  # (313, 2)
along_list, in_plane = smooth_prior(all_red, place), smooth_prior(all_red, centers)
for name, p in (("along the list", along_list), ("in the plane", in_plane)):
    top = p.topk(3)
    print(name, [(*map(int, centers[i]), round(p[i].item(), 2)) for i in top.indices])

# %% jupyter={"source_hidden": true}
fig, axes = panels(1, 2, (4.2, 3.9))
for ax, p, name in zip(
    axes, (along_list, in_plane), ("along the list", "in the plane"), strict=True
):
    ab_plane(ax, name, lightness=None)
    ax.plot(*centers.T, ".", color="0.8", markersize=2)
    ax.scatter(*centers.T, s=250 * p, color="tab:blue", edgecolor="black", linewidth=0.5)
    first = int(all_red.argmax())
    for i in (first, first + 1) if name == "along the list" else (first,):
        a, b = centers[i].tolist()
        ax.text(a - 88, max(b - 3, -110), f"{p[i]:.2f} in ({a:.0f}, {b:.0f})", fontsize=8)
show(
    fig,
    alt="Two plots of the ab plane. Along the list, a tenth of the mass at red, "
    "(80, 70), jumps to (90, -110); in the plane, all of it stays near.",
    caption="Along the list a tenth of the red lands beyond blue, 180 units away, and "
    "nothing goes to the neighbor at (90, 70).",
)

# %% [markdown]
# **Symptom**: none in the training; the weights of some rare colors are wrong. **Cause**: neighbors in the list need not be
# neighbors in the plane. **How to notice**: smooth a prior that is all in one bin, and look where it went.
#
# ### A prior from 0 to 255
#
# `rgb_to_lab` takes floats from 0 to 1. A photo with values from 0 to 255, turned into floats without a division, goes through
# without an error. **Predict**: which color comes out as the most frequent?

# %%
lab = rgb_to_lab(photos[..., ::2, ::2] * 255)  # the mistake; every other pixel will do
broken = color_prior(lab[:, 1:])
print(f"largest L {lab[:, 0].max():.0f}, largest b {lab[:, 2].max():.0f}")
for name, p in (("sound", five), ("broken", broken)):
    a, b = centers[p.argmax()].tolist()
    chroma = (p * centers.norm(dim=1)).sum()
    print(f"{name:6} largest bin ({a:.0f}, {b:.0f}) with {p.max():.0%}", end=", ")
    print(f"gray {p[120]:.0%}, mean chroma {chroma:.0f}")

# %% jupyter={"source_hidden": true}
fig, axes = panels(1, 2, (4.2, 3.9))
for ax, p, name in zip(axes, (five, broken), ("sound", "broken"), strict=True):
    ab_plane(ax, f"{name}: gray holds {p[120]:.0%}", lightness=None)
    ax.plot(*centers.T, ".", color="0.8", markersize=2)
    ax.scatter(*centers.T, s=700 * p, color="tab:blue", edgecolor="black", linewidth=0.5)
show(
    fig,
    alt="Two priors of the same five photos in the ab plane. The sound one has most of "
    "its mass from gray to orange, the broken one nearly all in a few bins at the rim.",
    caption="The area of a circle is the share of its bin. On the left the sound prior, "
    "on the right that of the same photos without the division by 255.",
)

# %%
bad_weights = rebalancing_weights(smooth_prior(broken.float(), centers))
orange = broken.argmax()
for name, weight in (("sound", weights), ("broken", bad_weights)):
    print(f"{name:6} prior: gray weighs {weight[120]:.2f},", end=" ")
    print(f"the orange-red (90, 70) {weight[orange]:.2f}")

# %% [markdown]
# **Symptom**: no error, but the weights are upside down: they teach the network to avoid vivid red and to seek gray. **Cause**:
# the missing division. A public port of the paper to TensorFlow ships such a prior, with its largest bins at (-90, 90) and
# (90, 70). **How to notice**: in natural photos the largest bin is gray, and the mean chroma is below 30 or so. L must not
# exceed 100.
#
# ## What the papers say, what we measured
#
# | | papers | exact | we measured |
# |---|---|---|---|
# | lambda | 1/2 (Zhang; KTH) | every lambda below 1 shifts the answer | sweeps, sections 3 and 7 |
# | smoothed share of gray | 0.20 (a public file, taken for the authors') | | 0.22 (713 photos) |
# | smallest and largest weight | 0.10 and 6.2 (from that file) | | 0.09 and 6.4 |
# | weight forward or backward | backward (the authors' code) | same gradient | equal but for rounding |
# | kite: distance from the optimum, plain and rebalanced | | 0 and 0 | 0.5 to 0.9, and below 0.2 |
# | tulip: probability of pink, plain and rebalanced | | 0.15 and 0.72 | about 0.12 and 0.69 |
# | blue balloon: its probability, plain and rebalanced | | 0.17 and 0.005 | about 0.17 and 0.01 |
# | raw AuC: gray, plain, rebalanced | 89.1, 91.6, 89.5 % (Zhang, Table 1) | | 88.3, 89.5, 84.4 % |
# | rebalanced AuC: the same | 58.0, 65.1, 67.3 % (the same) | | 63.0, 64.8, 68.0 % |
# | taken for real: plain, rebalanced | 25 %, 32 % (the same) | | not run |
#
# The AuC depends on the photos and on the size of the network: compare directions, not values. KTH write that without
# rebalancing "the loss function is dominated by desaturated ab values"; near gray lie 37 % of the pixels in our five photos,
# 64 % in 713 of ImageNet.
#
# **Take away**
# 1. A network that counts all pixels the same learns mostly gray. Weights by rarity make vivid colors count.
# 2. Rebalancing changes the question: the answer moves to $p_i v_i$, normalized. It can be computed before training.
# 3. A prior is data. Look at its largest bin, its zeros and its mean chroma before you divide by it.
#
# ## Questions
#
# <details><summary>52 bins are never the nearest of any color. They get the largest weights. Does it matter?</summary>Not in
# training. A pixel's weight is looked up at its nearest bin, so the weights of these 52 are never used.</details>
# <details><summary>The mean weight of a pixel is 1. Is the mean weight of the coffee photo 1?</summary>It is 3.0 (section 3):
# the photo is vivid all over. Such photos make larger gradients than gray streets.</details>
# <details><summary>You want to color cartoons. May you use the prior of photos?</summary>Count your own. With the prior of
# photos, the vivid colors of cartoons all get weights of about 5 to 6, so rebalancing no longer tells them apart; and the mean
# weight is far from 1, which changes the size of the gradients.</details>
# <details><summary>Can one get the true probabilities back from a rebalanced network?</summary>Divide its answer by the weights
# and normalize. With single bins as targets that is exact. With soft codes it is not quite: a pixel's weight is that
# of its nearest bin, but its code reaches into bins with other weights.</details>

# %%
check.scorecard()
