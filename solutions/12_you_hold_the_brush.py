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
# # Lesson 12 · You hold the brush
#
# **The network proposes colors. How do you tell it what you want?**
#
# A gray picture has many colorings, and no network can know which one you have in mind. So far it decided alone. Now you
# decide: with a preferred hue, with another photo, or with a few strokes of a brush.
#
# After this lesson you can
# - bend a network's answer by adding one number to each color, and say which pixels will follow;
# - draw a map of where there is a choice at all;
# - give a picture the colors of another photo in three ways, and say how each of them fails;
# - color a photo from strokes, with one sparse linear system and no network;
# - say when smoothing repairs predicted colors, and when it does nothing.
#
# | to read and solve | to run | needs |
# |---|---|---|
# | 90 minutes, 6 exercises | under a minute; nothing is trained | CPU only, no download |
#
# You should know the toy world (lesson 3), and distributions over bins and their mean (lesson 6). How exercises work: replace
# the line `raise NotImplementedError` by your answer and run the cell. Whatever the badge says, you can go on. Cells that only
# draw are folded; a click on the three dots opens them.

# %%
import math

import ipywidgets
import torch
import torch.nn.functional as F

from colorize import bins, decode, images, scribbles
from colorize.brush_demo import scribble_demo
from colorize.check import check
from colorize.colorizer import Colorizer
from colorize.decode import paint
from colorize.figures import panels, picture, pictures, show
from colorize.files import read_results
from colorize.lab import rgb_to_lab, to_gray
from colorize.labeling import icm
from colorize.metrics import mean_chroma
from colorize.preferences import hue_bias, uncertainty
from colorize.reference import roughness, welsh_transfer
from colorize.scribbles import Stroke, propagate, rasterize
from colorize.smoothing import joint_bilateral, learn_weights, smooth
from colorize.toyworld import ToyWorld
from colorize.transfer import (
    fit_bias,
    histogram,
    match_quantiles,
    quantile_transfer,
    transfer_energy,
)
from colorize.widgets import slider_demo

# %% [markdown]
# ## 1. One gray picture, many colorings
#
# The network `best` looks once at each of four photos, squares of 128 pixels. All that follows uses this answer, 313 logits at
# each of 64 x 64 places.

# %%
names = ("coffee", "chelsea", "astronaut", "rocket")
photos = {name: images.square(images.bundled(name), 128) for name in names}
true_ab = {name: rgb_to_lab(photo)[None, 1:] for name, photo in photos.items()}
colorizer = Colorizer.load("best")
T = colorizer.temperature  # 1: the mean
answers = {name: colorizer.answer(photo) for name, photo in photos.items()}
lightness = {name: answer[0] for name, answer in answers.items()}  # (1, 1, 128, 128)
logits = {name: answer[1] for name, answer in answers.items()}  # (1, 313, 64, 64)
centers = bins.gamut_bins()  # (313, 2)


# %%
def painted(name, bias=None):
    """The photo in the network's colors, with a bias (313,) or none: (1, 3, 128, 128)."""
    z = logits[name] if bias is None else logits[name] + bias.view(1, -1, 1, 1)
    return colorizer.paint(lightness[name], z, T)


def off(name, rgb):
    """Mean distance of a picture (1, 3, H, W) from the true colors, in ab units."""
    return (rgb_to_lab(rgb)[:, 1:] - true_ab[name]).norm(dim=1).mean().item()


def chroma(rgb):
    """Mean chroma of a picture (1, 3, H, W)."""
    return mean_chroma(rgb_to_lab(rgb)[:, 1:]).item()


# %% [markdown]
# Say you like red. To **prefer** a color is to add a number to its logit, the same number at every pixel: a **bias** $b_q$ for
# each bin $q$. `hue_bias` makes one that rises evenly toward a hue: with $c_q$ the center of the bin, $u$ the arrow of length 1
# toward the hue in the ab plane, and a strength of 4,
#
# $$ b_q = \frac{4}{100}\; c_q \cdot u. $$
#
# A color 50 ab units toward red gets 2 more, its complement 2 less, gray nothing.
#
# **Predict.** Which parts of a picture turn red in this way, and which stay as they were?
#
# ### Exercise 12.1 · A preference
# ●●○○○ · 6 minutes
#
# Return the mean color of each pixel after the bias is added.
#
# <details><summary>Hint 1</summary>Exercise 6.1, with one addition before the softmax.</details>
# <details><summary>Hint 2</summary><code>bias.view(1, -1, 1, 1)</code> has the bins in dimension 1, where the logits have them.
# <code>torch.einsum("nqhw,qc->nchw", p, centers)</code> takes the mean.</details>


# %%
@check("12.1")
def prefer(logits, bias, centers):
    """Logits (N, Q, H, W), bias (Q,), centers (Q, 2) -> ab (N, 2, H, W)."""
    # BEGIN SOLUTION
    p = torch.softmax(logits + bias.view(1, -1, 1, 1), dim=1)
    return torch.einsum("nqhw,qc->nchw", p, centers)
    # END SOLUTION


# %%
HUES = {"red": 0, "yellow": 90, "green": 180, "blue": 270}
colored = {"network": painted("coffee")}
for name, angle in HUES.items():
    ab = prefer(logits["coffee"], hue_bias(angle), centers)
    colored[f"{name}, {angle}°"] = paint(lightness["coffee"], ab)


# %% jupyter={"source_hidden": true}
def strip(shown, alt, caption, columns=3, inches=1.38):
    """Pictures (title, photo's name or None, rgb); chroma and error of each above it."""
    rows = -(-len(shown) // columns)
    fig, axes = panels(rows, columns, (inches, inches + 0.42))
    for ax, (title, name, rgb) in zip(axes, shown, strict=True):
        numbers = f"chroma {chroma(rgb):.0f}"
        numbers += "" if name is None else f", off {off(name, rgb):.0f}"
        picture(ax, rgb[0])
        ax.set_title(f"{title}\n{numbers}", fontsize=9)
    show(fig, alt, caption)


strip(
    [(title, "coffee", rgb) for title, rgb in colored.items()],
    alt="A cup of coffee five times. The saucer is brown and dull as the network "
    "paints it, red with a bias toward red, ocher with yellow, green with green, "
    "violet with blue.",
    caption="One answer of one network, with four preferences. `off` is the mean "
    "distance from the true colors: this saucer is red.",
    columns=5,
)

# %% [markdown]
# Saucer and table take whatever hue is asked for. The shadows stay nearly black. Nobody told the bias where to act. Turn it
# yourself. **Predict.** At which hue is the chroma highest?
#
# <details><summary>Answer</summary>At 45°, between red and yellow: 39. Most colors that the network believes in here lie there.
# At 225°, the opposite hue, preference and belief cancel: 11.</details>


# %%
def turned(angle):
    """What the slider shows: a picture, and a line of text."""
    rgb = painted("coffee", hue_bias(angle))
    return rgb[0], f"hue {angle:.0f}, mean chroma {chroma(rgb):.1f}"


slider = ipywidgets.FloatSlider(0, min=0, max=345, step=15, description="hue")
slider_demo(turned, slider, "hue", "A cup of coffee with a preferred hue", width=320)

# %% [markdown]
# ### Who follows
#
# Why does one pixel move and not another? For a bias that rises evenly along $u$ there is a law. With $m$ the mean color of a
# pixel's distribution, and $\Sigma$ its covariance (2 x 2: the variances of a and b, and how a and b vary together),
#
# $$ \frac{dm}{d\,\text{strength}} = \frac{1}{100}\, \Sigma\, u. $$
#
# The more the possible colors of a pixel vary along $u$, the farther it moves. A certain one stays. In the toy world a lemon
# has one color, a plum is violet or, less often, yellow, an apple is red or green, and a balloon has one of six paler hues.
#
# **Predict.** Prefer red a little. Order lemon, plum, apple and balloon by how far they move.

# %%
world = ToyWorld(48)
kinds = ("lemon", "plum", "apple", "balloon")
exact = torch.stack([world.palette(name).posterior().float() for name in kinds])
toy_logits = exact.log().view(len(kinds), 313, 1, 1)
before, after = (prefer(toy_logits, hue_bias(0, s), centers) for s in (0.0, 0.01))
moved = (after - before)[:, 0, 0, 0] / 0.01  # (4,), change of a by strength
print("ab units for strength 1:    measured   Sigma u / 100")
for name, p, change in zip(kinds, exact, moved, strict=True):
    deviation = centers - p @ centers  # (313, 2)
    spread = (p * deviation[:, 0] ** 2).sum()  # variance of a
    print(f"{name:26}{change + 0.0:10.2f}{spread / 100:14.2f}")

# %% [markdown]
# ## 2. Where is there a choice?
#
# So a map of the uncertainty tells beforehand what a bias can move. The entropy over 313 bins (lesson 6) will not do: a gray
# wall of uncertain tint has a high entropy, and nothing to choose. Larsson, Maire and Shakhnarovich (2016) take **the entropy
# of the hue, times the chroma** (their Figure 10). With our bins:
#
# 1. Cut the color circle into 32 sectors. Add up the probabilities of all bins of a sector. Gray has no hue: leave its bin out,
#    and scale the sectors to sum to 1.
# 2. Take the entropy $-\sum_k h_k \ln h_k$ of the 32 sums $h_k$.
# 3. Multiply it by the expected chroma, $\sum_q p_q \lVert c_q \rVert$, with $p_q$ the probability of bin $q$, over all bins,
#    gray included.
#
# **Predict.** A pixel is red or green, with 1/2 each and chroma 50. What is its uncertainty? And that of one that is gray with
# 0.85 and pink with 0.15?
#
# ### Exercise 12.2 · Where is there a choice?
# ●●●○○ · 12 minutes
#
# Return the uncertainty of each pixel. A pixel that is gray for certain has 0.
#
# <details><summary>Hint 1</summary><code>torch.zeros(M, 32).index_add_(1, sector[some], p[:, some])</code> adds up columns of p by
# their sector. Which bins belong to <code>some</code>?</details>
# <details><summary>Hint 2</summary>Divide by the sum over sectors, <code>clamp</code>ed so that it is never 0.
# <code>torch.special.entr(h)</code> is -h ln h, and 0 at 0. <code>p @ chroma</code> is the expected chroma.</details>


# %%
@check("12.2")
def unsure(p, sector, chroma, sectors=32):
    """p (M, Q); of each bin the sector (Q,), from 0, and the chroma (Q,) -> (M,)."""
    # BEGIN SOLUTION
    some = chroma > 0
    hue = torch.zeros(len(p), sectors).index_add_(1, sector[some], p[:, some])
    hue = hue / hue.sum(dim=1, keepdim=True).clamp(min=1e-12)
    return torch.special.entr(hue).sum(dim=1) * (p @ chroma)
    # END SOLUTION


# %%
angle = torch.atan2(centers[:, 1], centers[:, 0]) / (2 * math.pi)  # in turns
sector = (angle * 32).round().long() % 32  # (313,)
bin_chroma = centers.norm(dim=1)
print("nats times ab units")
for name in ("sky", "wall", "tulip", "plum", "apple", "balloon"):
    p = world.palette(name).posterior().float()[None]
    print(f"{name:8}{unsure(p, sector, bin_chroma).item():6.1f}")

# %% [markdown]
# Sky and wall have one color: 0. An apple has two: $\ln 2$ times its expected chroma (35 for the pixel of the question). A
# balloon has six. **The tulip is a trap.** It is gray or pink, a real choice, and the map says 0: where it has a hue at all,
# the hue is certain. This measure sees choices between hues, not between a color and gray.
#
# Now the photos. **Predict.** Where will the map of the coffee be bright?

# %%
maps = {}
for name in ("coffee", "chelsea", "astronaut"):
    p = logits[name].softmax(dim=1).movedim(1, -1).flatten(0, 2)  # (4096, 313)
    maps[name] = unsure(p, sector, bin_chroma).view(64, 64)
gap = (maps["coffee"] - uncertainty(logits["coffee"])[0]).abs().max()
print(f"largest difference from preferences.uncertainty: {gap:.0e}")

# %% jupyter={"source_hidden": true}
fig, axes = panels(2, 3, (1.5, 1.6))
for k, (name, values) in enumerate(maps.items()):
    picture(axes[k], to_gray(photos[name]), name)
    drawn = axes[3 + k].imshow(values.numpy(), vmin=0, vmax=130, cmap="gray")
    axes[3 + k].set(xticks=[], yticks=[], title=f"mean {values.mean():.0f}")
fig.colorbar(drawn, ax=axes[3:].tolist(), label="nats x ab units", shrink=0.9)
show(
    fig,
    alt="Three photos in gray and their maps below. Bright are the inside of the cup, "
    "saucer and table, the fur at the upper left, wall and suit; dark are the shadow "
    "on the saucer, the pupils, the collar and the helmet; the cup's rim is gray.",
    caption="Bright: here a preference decides. Dark: shadows, pupils, collar and "
    "helmet, whose chroma is low.",
)

# %%
print("moved by the four biases, ab units:  darkest quarter   brightest quarter")
for name, values in maps.items():
    plain = decode.mean(logits[name])
    far = [
        (prefer(logits[name], hue_bias(a), centers) - plain).norm(dim=1)
        for a in HUES.values()
    ]
    far = torch.stack(far).mean(dim=0).flatten()[values.flatten().argsort()].chunk(4)
    print(f"{name:36}{far[0].mean():12.1f}{far[-1].mean():20.1f}")

# %% [markdown]
# Where the map is bright, the picture moves 1.7 to 4 times as far as where it is dark.
#
# ## 3. Colors of another photo, value by value
#
# "Make it like this one" is an easy way to say what you want. All that is taken from the other photo, the **reference**, is its
# **histogram**: which colors occur, and how often. As a test, the reference is the true photo itself. Deshpande et al. (2015)
# introduced this test, and Larsson et al. (section 3.4) compare two ways.
#
# The first works on the finished picture. Sort the values of a channel. The smallest becomes the smallest of the reference, the
# second smallest its second smallest, and so on: **quantile matching**. Afterward the channel has the histogram of the
# reference.
#
# **Predict.** Give the values 5, 1, 3 the histogram of 10, 20, 60. What comes out, in which order?
#
# ### Exercise 12.3 · Colors by rank
# ●●○○○ · 8 minutes
#
# Replace each value of `source` by the value of the same rank in `reference`. Both have the same number of values.
#
# <details><summary>Hint 1</summary>The rank of a value is the number of smaller ones. <code>argsort</code> tells which value
# comes first; the rank is the reverse.</details>
# <details><summary>Hint 2</summary><code>argsort</code> of <code>argsort</code> is the rank. It is an index into the sorted
# reference.</details>


# %%
@check("12.3")
def match_ranks(source, reference):
    """Values (S,) and (S,) -> (S,), those of reference in the order of source."""
    # BEGIN SOLUTION
    rank = source.argsort().argsort()
    return reference.sort().values[rank]
    # END SOLUTION


# %% [markdown]
# So 5, 1, 3 become 60, 10, 20. Larsson et al. match R, G and B, each divided by the pixel's lightness, so that light and dark
# pixels can be compared, and multiply by the lightness again. This lightness is $(R + G + B) / 3$; the last line of the
# function restores it.


# %%
def by_ranks(rgb, reference):
    """Give a picture (3, H, W) the colors of another one (3, H, W)."""
    light, theirs = (x.mean(dim=0, keepdim=True) + 1e-4 for x in (rgb, reference))
    pairs = zip(rgb / light, reference / theirs, strict=True)  # by channel
    found = [match_ranks(x.flatten(), y.flatten()).view_as(x) for x, y in pairs]
    found = torch.stack(found) * light
    return (found + light - found.mean(dim=0, keepdim=True)).clamp(0, 1)


own = by_ranks(painted("coffee")[0], photos["coffee"])
library = quantile_transfer(painted("coffee"), photos["coffee"][None])[0]
print(f"mean difference from quantile_transfer: {(own - library).abs().mean():.4f}")

# %% [markdown]
# (You can also match a and b instead of RGB.)
#
# **Predict.** The reference is the true photo, so the colors are the right ones, each as often as it should be. Are they
# in the right places?

# %%
rows = []
for name in ("coffee", "astronaut"):
    ranked = by_ranks(painted(name)[0], photos[name])[None]
    rows += [
        (f"{name}: network", name, painted(name)),
        ("by ranks", name, ranked),
        ("photo", name, photos[name][None]),
    ]
    ab = match_quantiles(rgb_to_lab(painted(name))[:, 1:], true_ab[name])
    apart = (ab - true_ab[name]).norm(dim=1).mean()
    print(f"{name:10} ranks of RGB: off {off(name, ranked):.1f}", end=", ")
    print(f"of a and b: off {apart:.1f}")

# %% jupyter={"source_hidden": true}
strip(
    rows,
    alt="Coffee and astronaut: as the network paints them, by ranks, and the photo. "
    "By ranks the cup is glaring yellow, the table green in a corner, the saucer "
    "violet in places; the wall behind the astronaut turns cyan in patches.",
    caption="The true colors, each as often as it should be, in the network's order. "
    "What the network ranks wrongly comes out wrong, and more vivid than before.",
)

# %% [markdown]
# What the network made greenest lies mostly in the table's upper corners, so these get the most green that the photo has for
# its lightness. A rank knows nothing of how sure the network was.
#
# And where does the cyan wall come from? Nothing in this photo is cyan, the color without red. Look at the pixels with the
# smallest ratio of R to lightness. **Predict.** Which are they in the photo, and which in the network's picture?

# %%
for word, rgb in (("photo", photos["astronaut"]), ("network", painted("astronaut")[0])):
    light = rgb.mean(dim=0)
    ratio = (rgb[0] / (light + 1e-4)).flatten()  # 1 for gray
    least = ratio.argsort()[: len(ratio) // 20]
    print(f"{word:8} lowest 5 %: ratio up to {ratio[least].max():.2f}", end=", ")
    print(f"lightness {light.flatten()[least].median():.2f} (median)")

# %% [markdown]
# In the photo they are black: their ratio, 0 divided by nearly 0, comes out as 0, no red at all. In the network's picture,
# where nearly everything is a little reddish, the smallest ratios belong to parts of the bright wall. By rank the wall gets the
# ratios of black. Lightness, which this method takes out of the comparison, is what it would need.
#
# ## 4. Colors of another photo, by energy
#
# The second way of Larsson et al. changes the network's answer, by a bias $b$ as in section 1. A good one pulls the picture
# toward the reference, and no pixel far from what the network said. Both wishes make an **energy**, to be made small (their
# equation 6):
#
# $$ E(b) = \frac{1}{N} \sum_n \mathrm{KL}(y^*_n \,\Vert\, y_n) + \lambda\, \chi^2\Big(\frac{1}{N} \sum_n y^*_n,\; t\Big),
# \qquad y^*_n = \mathrm{softmax}(\ln y_n + b). $$
#
# - $y_n$ is the network's distribution at pixel $n$, of $N$ pixels, and $y^*_n$ the biased one.
# - $\mathrm{KL}(y^* \Vert y) = \sum_q y^*_q (\ln y^*_q - \ln y_q)$ is 0 if nothing has changed. A sure pixel is costly to move.
# - $t$ is the histogram of the reference. $\chi^2(m, t) = \frac12 \sum_q (m_q - t_q)^2 / (m_q + t_q)$ is 0 for equal histograms,
#   1 for two that share no color. (The factor 1/2 is ours; the paper prints none.)
# - $\lambda$ weighs the two. The paper does not name its value.
#
# **Predict.** With $\lambda = 0$, which bias is best?
#
# ### Exercise 12.4 · The energy of a bias
# ●●●○○ · 15 minutes
#
# Return the energy.
#
# <details><summary>Hint 1</summary>The first term is a mean over pixels. In the second the mean is taken first, and the distance
# afterwards.</details>
# <details><summary>Hint 2</summary><code>log_softmax</code> of <code>log_y + bias</code>, over dimension 1, gives the
# logarithms of the biased distributions, and <code>.exp()</code> of them the distributions. Their mean over dimension 0 is the
# histogram of the picture.</details>


# %%
@check("12.4")
def energy(log_y, bias, target, lam=10.0):
    """Log-probabilities (N, Q), bias (Q,), target (Q,), lambda -> E, one number."""
    # BEGIN SOLUTION
    new = torch.log_softmax(log_y + bias, dim=1)
    y = new.exp()
    kl = (y * (new - log_y)).sum(dim=1).mean()
    m = y.mean(dim=0)
    return kl + lam * ((m - target) ** 2 / (m + target)).sum() / 2
    # END SOLUTION


# %%
def few(name):
    """The logits of every fourth pixel in both directions: enough to find a bias."""
    return logits[name][..., ::4, ::4]


log_y = few("coffee").log_softmax(dim=1).movedim(1, -1).flatten(0, 2)  # (256, 313)
target = histogram(true_ab["chelsea"]).float()
for bias in (torch.zeros(313), hue_bias(60)):
    theirs, *_ = transfer_energy(few("coffee"), bias, target)
    print(f"energy {energy(log_y, bias, target):.4f}, the library's {theirs:.4f}")

# %% [markdown]
# (With $\lambda = 0$ the best bias is none: then the KL is 0.)
#
# `fit_bias` walks downhill from $b = 0$, as the paper does. First try it where the answer is known: a toy scene whose only
# apple is red. Without a bias the answer is red with $p = 1/2$. If red occurs, green does not, and no other thing has these
# colors, then the probability $y$ of red at the minimum obeys
#
# $$ \ln \frac{y}{1 - y} = \ln \frac{p}{1 - p} + \frac{2 \lambda}{(1 + y)^2}. $$
#
# (Set the gradient to zero. The share of red is $s$ in the target and $s y$ in the picture, and $s$ cancels: the apple's size
# does not matter.) A second scene has two apples, a red one and a green one. **Predict.** What does the histogram do for those?

# %%
scenes = world.scenes(60, seed=12)
apple = world.kinds.index("apple")
red_bin = bins.nearest_bin(world.palette("apple").colors[0].float().view(1, 2, 1, 1))


def red_after(number, lam):
    """Probability of red at a scene's apples, after the histogram of its true colors."""
    kind = scenes.kind[[number], ::2, ::2]  # every second pixel is enough
    z = world.posterior(kind).log()  # the exact answer, (1, 313, 24, 24)
    wanted = histogram(scenes.ab[[number], :, ::2, ::2], soft=False)
    y = (z + fit_bias(z, wanted, lam).bias.view(1, -1, 1, 1)).softmax(dim=1)
    return y[:, red_bin.item()][kind == apple].mean().item()


def red_by_hand(lam, y=0.5):
    for _ in range(100):
        y = 1 / (1 + math.exp(-2 * lam / (1 + y) ** 2))
    return y


# %%
print("lambda   by hand   one red apple   a red and a green one")
for lam in (1, 2, 5, 10):
    one, two = red_after(30, lam), red_after(5, lam)
    print(f"{lam:6}{red_by_hand(lam):10.3f}{one:16.3f}{two:24.3f}")

# %% [markdown]
# One red apple comes out red, the more surely the larger $\lambda$. The two of the second scene stay near one half: the
# histogram says that red and green both occur, but not *where*.
#
# ### On photos
#
# **Predict.** Give the coffee the histogram of its own photo, with $\lambda$ from 0 to 30. What happens to the saucer, and to
# the greenish corner of the table?

# %%
LAMBDAS = (0, 1, 3, 10, 30)
wanted = histogram(true_ab["coffee"])
fits = {lam: fit_bias(few("coffee"), wanted, lam) for lam in LAMBDAS}
by_energy = {lam: painted("coffee", fit.bias) for lam, fit in fits.items()}


def with_lambda(lam):
    """What the slider shows: a picture, and a line of text."""
    rgb = by_energy[lam]
    numbers = f"mean chroma {chroma(rgb):.1f}, off {off('coffee', rgb):.1f}"
    return rgb[0], f"lambda {lam}, {numbers}"


slider = ipywidgets.SelectionSlider(options=LAMBDAS, value=0, description="lambda")
slider_demo(with_lambda, slider, "lambda", "A cup of coffee by energy", width=320)

# %% jupyter={"source_hidden": true}
strip(
    [(f"lambda {lam}", "coffee", by_energy[lam]) for lam in (1, 3, 30)],
    alt="The coffee with lambda 1, dull and brown with a greenish table, with lambda "
    "3 and 30 in more and more red-brown, at 30 without green.",
    caption="The same histogram as in section 3. The saucer turns red-brown, and at 30 "
    "the green corner is gone: a color that the photo lacks gets a low bias.",
)

# %%
print("off, ab units      network       ranks      energy        gray")
for name in ("coffee", "chelsea", "astronaut"):
    fit = fit_bias(few(name), histogram(true_ab[name]))
    found = [painted(name), by_ranks(painted(name)[0], photos[name])[None]]
    found += [painted(name, fit.bias), to_gray(photos[name])[None]]
    print(f"{name:14}" + "".join(f"{off(name, rgb):12.1f}" for rgb in found))

# %% [markdown]
# Energy ($\lambda = 10$) is nearer to the truth than ranks and than the network alone, in all three. Ranks must use every color
# of the reference, as often as it occurs. A bias asks each pixel.
#
# ### The way down
#
# Gradient descent steps against the gradient, and halves the step until the energy falls far enough. A step of length $s$ down
# a slope $g$ promises to lower the energy by $s g$; by **Armijo's rule** it is accepted if the energy falls by at least a share
# $c$ of that.
#
# The gradient has a flaw here: its entry $q$ is about proportional to the share $m_q$ of color $q$ in the picture, so that rare
# colors hardly move. The library steps along $-v$ instead, with $v_q = b_q + \lambda\, \partial \chi^2 / \partial m_q$: the
# gradient, rid of that share. This way leads downhill, too. **Predict.** How many steps does each need?


# %%
def descend(z, target, lam, steps, along_v, c=0.25):
    """Energies of a descent along -v, or against the gradient."""
    bias, length, found = torch.zeros(313, dtype=torch.float64), 1.0, []
    value, gradient, v = transfer_energy(z, bias, target, lam)
    for _ in range(steps):
        found.append(value.item())
        way = v - v.mean() if along_v else gradient
        length = min(1.0, 4 * length) if along_v else 4 * length
        while True:
            after = transfer_energy(z, bias - length * way, target, lam)
            if after[0] <= value - c * length * (gradient @ way):
                break
            length /= 2
        bias, (value, gradient, v) = bias - length * way, after
    return [*found, value.item()]


reference = histogram(true_ab["chelsea"])  # the coffee in colors of the cat
paths = {
    "against the gradient": descend(few("coffee"), reference, 10.0, 40, along_v=False),
    "along -v": descend(few("coffee"), reference, 10.0, 40, along_v=True),
}

# %% jupyter={"source_hidden": true}
fig, (ax,) = panels(1, 1, (5.2, 2.8))
for (name, values), style in zip(paths.items(), ("--", "-"), strict=True):
    ax.plot(values, style, color="black", label=name)
    print(f"{name:21} start {values[0]:.2f}, after 10 steps {values[10]:.3f}", end="")
    print(f", after 40 {values[40]:.3f}")
ax.set(xlabel="step", ylabel="energy", ylim=(0, None))
ax.legend(frameon=False)
show(
    fig,
    alt="Two falling curves of energy over 40 steps from the same start. That along "
    "-v is flat after about 10 steps, that against the gradient falls more slowly and "
    "stays above it.",
    caption="The same energy, the same rule for the length of a step, two directions.",
)

# %% [markdown]
# Along $-v$, 10 steps are enough; against the gradient, 40 are not. The share $c$ looks like a detail: textbooks take 0.0001,
# the library 0.25. **Predict.** Does it matter?

# %%
SHOWN = (0, 1, 2, 3, 5, 10, 20)
print("energy at step         " + "".join(f"{k:8}" for k in SHOWN))
for lam in (10, 100):
    for c in (1e-4, 0.25):
        values = descend(few("coffee"), reference, lam, 20, along_v=True, c=c)
        print(f"lambda {lam:3}, c = {c:<7g}", end="")
        print("".join(f"{values[k]:8.2f}" for k in SHOWN))

# %% [markdown]
# No energy ever rises. But what does the first step of the third row do, which gains next to nothing and is taken all the same?

# %%
z = few("coffee")  # (1, 313, 16, 16)
_, gradient, v = transfer_energy(z, torch.zeros(313), reference, 100.0)
_, later, _ = transfer_energy(z, v.mean() - v, reference, 100.0)
p = (z + (v.mean() - v).view(1, -1, 1, 1)).softmax(dim=1)
print(f"largest probability of a pixel, in the mean: {p.amax(dim=1).mean():.3f}")
print(f"different likeliest colors: {len(z.argmax(1).unique())} at the start", end=", ")
print(f"{len(p.argmax(1).unique())} after the step")
print(f"largest entry of the gradient: {gradient.abs().max():.3f} at the start", end=", ")
print(f"{later.abs().max():.3f} after the step")

# %% [markdown]
# It makes every pixel certain of the same color, and there the energy is nearly flat. This descent finds its way back, slowly,
# as $v$ does not vanish. **"The energy never rises" is not yet "the energy is low".** Test an optimizer where you know the
# answer, as with the apple above, or from two starts.
#
# ## 5. Colors by resemblance
#
# Long before such networks, Welsh, Ashikhmin and Mueller (2002) colored a gray picture from a reference alone. Pixels that look
# alike should have similar colors. "Alike" is measured by two numbers: the lightness, and the spread (standard deviation) of
# the lightness in the 5 x 5 pixels around.
#
# 1. Shift and stretch the reference's lightness to the mean and spread of the gray picture.
# 2. Pick about 200 pixels of the reference, spread over it: the **samples**.
# 3. Each gray pixel takes a and b of the sample whose two numbers are nearest, both with equal weight.
#
# **Predict.** A coffee in the colors of a cat; a rocket at night in those of an astronaut. Which one will work?

# %%
pairs = {"coffee": "chelsea", "rocket": "astronaut"}
rows = []
for name, other in pairs.items():
    match = welsh_transfer(lightness[name], photos[other])
    fit = fit_bias(few(name), histogram(true_ab[other]))
    rows += [
        (f"reference: {other}", None, photos[other][None]),
        ("resemblance", name, paint(lightness[name], match.ab)),
        ("energy", name, painted(name, fit.bias)),
    ]
    print(f"{name} in gray: off {off(name, to_gray(photos[name])[None]):.0f}")

# %% jupyter={"source_hidden": true}
strip(
    rows,
    alt="Above: a cat, and the coffee by resemblance and by energy, both in warm "
    "browns. Below: the astronaut, the rocket by resemblance with rings in the sky, "
    "red, gray and a few violet, and by energy with a gray and reddish sky.",
    caption="Above both ways are believable. Below the sky, which is blue in the "
    "photo, breaks into rings by resemblance, and neither way makes it blue: gray is "
    "nearer to the truth.",
)

# %% [markdown]
# Fur and wood have much in common: brown at every lightness. The sky is smooth: only the lightness tells its pixels apart, and
# changes slowly from the lamps up. Where the nearest sample changes, the color jumps: a ring. Look at the samples that the sky
# took.

# %%
took = match.index[0, :64].flatten()  # the upper half of the rocket's photo
which, count = took.unique(return_counts=True)
rough = roughness(lightness["rocket"])[0, 0, :64].mean()
print(f"{len(which)} samples color the upper half; its mean spread is {rough:.2f} in L")
for k in count.argsort(descending=True)[:4]:
    row, column = match.samples[which[k]]
    a, b = true_ab["astronaut"][0, :, row, column].tolist()
    place = f"row {row:3}, column {column:3}"
    print(f"{count[k]:6} pixels: {place}, a {a:+4.0f}, b {b:+4.0f}")

# %% [markdown]
# Flag, suit and helmet: nothing in two numbers says "sky". (Welsh et al. also let a person mark swatches that belong together.)
#
# ## 6. Strokes
#
# The most direct way to say what you want is to paint it. Levin, Lischinski and Weiss (2004) need a few strokes, no reference
# and no network. They ask one thing of every pixel: **have the mean color of your neighbors, in which those count most that are
# as light as you.** With $u_r$ the a (or the b) of pixel $r$, $s$ its neighbors, $Y = L / 100$ and $\sigma_r^2$ the variance of
# $Y$ around pixel $r$,
#
# $$ u_r = \sum_s w_{rs}\, u_s, \qquad w_{rs} \propto \exp\Big( -\frac{(Y_r - Y_s)^2}{0.6\, \sigma_r^2} \Big), \qquad \sum_s w_{rs} = 1. $$
#
# (0.6 is in the authors' program; the paper has 2.) Five pixels in a row, three dark, two light:

# %%
row = torch.tensor([20.0, 21.0, 22.0, 70.0, 72.0])  # L

# %% [markdown]
# **Predict.** The third pixel, L = 22, has the neighbors 21 and 70. Which weights do they get?
#
# ### Exercise 12.5 · Whom a pixel takes after
# ●●○○○ · 10 minutes
#
# Return the weights of each pixel's neighbors. The variance is that of the pixel and its K neighbors together (the mean squared
# distance from their mean), at least 0.000002.
#
# <details><summary>Hint 1</summary>Put the pixel and its neighbors side by side for the variance, (M, K + 1), but compute weights
# for the neighbors only.</details>
# <details><summary>Hint 2</summary><code>torch.cat((y[:, None], near), dim=1).var(dim=1, correction=0, keepdim=True)</code>, then
# <code>clamp(min=2e-6)</code>.</details>


# %%
@check("12.5")
def shares(y, near, spread=0.6):
    """Y of pixels (M,) and of their neighbors (M, K), 0 to 1 -> weights (M, K)."""
    # BEGIN SOLUTION
    both = torch.cat((y[:, None], near), dim=1)
    variance = both.var(dim=1, correction=0, keepdim=True).clamp(min=2e-6)
    w = torch.exp(-((near - y[:, None]) ** 2) / (spread * variance))
    return w / w.sum(dim=1, keepdim=True)
    # END SOLUTION


# %%
inner = shares(row[1:4] / 100, torch.stack((row[:3], row[2:]), dim=1) / 100)
W = torch.zeros(5, 5)
for r in (1, 2, 3):
    W[r, r - 1], W[r, r + 1] = inner[r - 1]
W[0, 1] = W[4, 3] = 1  # the ends have one neighbor
for light, weights in zip(row.tolist(), W, strict=True):
    print(f"L {light:2.0f}  " + "".join(f"{w:8.4f}" for w in weights))
theirs = torch.from_numpy(scribbles.weights(row[None]).toarray())
print(f"largest difference from scribbles.weights: {(W - theirs).abs().max():.0e}")

# %% [markdown]
# Between the third and the fourth pixel lies an edge, and next to nothing crosses it.
#
# Now paint: a = 50 at the first pixel, a = -40 at the last. The other three are free, and each has one equation, $u_r - \sum_s
# w_{rs} u_s = 0$. What is painted moves to the right-hand side. **Predict** the three numbers.

# %%
free, fixed = [1, 2, 3], [0, 4]
u = torch.tensor([50.0, 0, 0, 0, -40])
A = torch.eye(5) - W
u[free] = torch.linalg.solve(A[free][:, free], -A[free][:, fixed] @ u[fixed])
print("a:", [round(x, 1) for x in u.tolist()])

# %% [markdown]
# A square photo of 192 pixels has 36,864 equations with eight neighbors in each. Nearly all entries of the matrix are 0: a
# **sparse** system, solved in a fraction of a second. Twelve strokes on the coffee:

# %%
RED, CREAM, ORANGE, BROWN, GRAY = (45, 38), (2, 8), (18, 35), (18, 25), (0, 3)
strokes = [
    Stroke([(20, 75), (25, 120), (60, 165), (110, 178)], RED, 4),  # saucer
    Stroke([(165, 60), (168, 110)], RED, 4),
    Stroke([(62, 128), (72, 138)], RED, 3),  # handle
    Stroke([(38, 38), (45, 75), (60, 110), (100, 120)], CREAM, 3),  # cup
    Stroke([(70, 20), (120, 30)], CREAM, 3),
    Stroke([(85, 42), (130, 55)], CREAM, 3),
    Stroke([(75, 80), (100, 85)], ORANGE, 4),  # coffee
    Stroke([(8, 10), (30, 8)], BROWN, 4),  # table
    Stroke([(150, 10), (185, 40)], BROWN, 4),
    Stroke([(10, 180), (40, 186)], BROWN, 4),
    Stroke([(180, 150), (182, 185)], BROWN, 4),
    Stroke([(128, 108), (150, 130)], GRAY, 2),  # spoon
]

# %%
coffee = images.square(images.bundled("coffee"), 192)
coffee_lab = rgb_to_lab(coffee[None])
coffee_L, coffee_ab = coffee_lab[:, :1], coffee_lab[:, 1:]


def from_strokes(strokes, spread=0.6):
    """Strokes -> ab (1, 2, 192, 192), and how far it is off at each pixel (192, 192)."""
    ab, mask = rasterize(strokes, 192, 192)
    found = propagate(coffee_L, ab, mask, spread)
    return found, (found - coffee_ab).norm(dim=1)[0]


ab, mask = rasterize(strokes, 192, 192)
flowed, error = from_strokes(strokes)
print(f"{mask.float().mean():.0%} of the pixels are painted")
print(f"off {error.mean():.1f}, gray {coffee_ab.norm(dim=1).mean():.1f}", end="; ")
wide = from_strokes(strokes, 2)[1].mean()
print(f"with spread 2: {wide:.1f}")

# %% jupyter={"source_hidden": true}
shown = [paint(coffee_L, x) for x in (ab * mask[:, None], flowed)]
titles = [f"12 strokes\nchroma {chroma(shown[0]):.0f}", "colors flow\n"]
titles[1] += f"chroma {chroma(shown[1]):.0f}, off {error.mean():.0f}"
show(
    pictures([rgb[0] for rgb in shown], titles, 2, 2.0),
    alt="The coffee in gray with twelve strokes in red, cream, orange and brown; and "
    "colored from them, with a red saucer and a reddish patch on the table to the "
    "right of it.",
    caption="Colors stop at the edges of lightness, mostly: look at the table to the "
    "right of the saucer.",
)

# %% [markdown]
# Red leaks from the saucer onto the table: there the table is hardly lighter, and no edge holds it. **Which stroke is
# missing?** Ours is in the next cell.

# %%
more = [*strokes, Stroke([(176, 62), (186, 115)], (25, 38), 4)]
after = from_strokes(more)[1]
spot = (slice(60, 120), slice(174, 192))  # rows and columns of the table to the right
print(f"on the spot: off {error[spot].mean():.1f}, then {after[spot].mean():.1f}")
print(f"all pixels:  off {error.mean():.1f}, then {after.mean():.1f}")

# %% [markdown]
# One more stroke in the table's color, beside the leak, and little changes elsewhere.
#
# Now you paint. With the package `ipycanvas` (`make lab` installs it) there is a canvas and a brush, and a slider that lets the
# network have a say where nothing is painted. The button "Example" paints our strokes. Without the package, a slider paints
# them one after the other. **Predict.** What does the picture look like after the first stroke alone?
#
# <details><summary>Answer</summary>Red all over, table and cup too: if only one color is painted, every pixel takes
# it.</details>

# %%
small_ab = decode.mean(logits["coffee"])
network_ab = F.interpolate(small_ab, (192, 192), mode="bilinear", align_corners=False)
scribble_demo(coffee, strokes, network_ab, name="coffee", width=320)

# %% [markdown]
# ## 7. Repairing predicted colors
#
# "Neighbors that are equally light are equally colored" also repairs a *prediction*. Early systems predicted each pixel's color
# by itself, and neighbors disagreed. Three repairs, from three papers:
#
# - **A filter** (Cheng et al. 2015, the last step): each pixel takes the mean of its surroundings, in which near and equally
#   light pixels count most. It is called *joint bilateral*: it filters the color and looks at the lightness.
# - **An energy** (the idea of Deshpande et al. 2015): stay near the prediction, and agree with your neighbors, both squared. The minimum is
#   one sparse system, as in section 6, with all pixels free.
# - **Labels** (the idea of Charpiat et al. 2008): choose for each pixel *one* color, here of the 313, that is likely in itself
#   and close to its neighbors' choice. The mean of red and green cannot come out.
#
# In the filter at pixel $p$, a pixel $q$ at a distance of $d$ pixels has the weight $w_q$; $\sigma_s$, in pixels, and
# $\sigma_L$, in units of L, say what is near and what is alike:
#
# $$ w_q = \exp\Big( -\frac{d^2}{2 \sigma_s^2} \Big) \exp\Big( -\frac{(L_p - L_q)^2}{2 \sigma_L^2} \Big). $$
#
# **Predict.** A dark pixel has a neighbor that is 20 units of L lighter, and $\sigma_L = 4$. How much does that neighbor count?
#
# ### Exercise 12.6 · A mean of one's like
# ●●○○○ · 8 minutes
#
# Return the filtered color of one pixel. `ab`, `lightness` and `distance` hold its surroundings; entry 0 is the pixel itself, with
# distance 0, and counts like all others.
#
# <details><summary>Hint 1</summary>Compute one weight for each of the K pixels, the product of two factors. A mean divides by the sum
# of the weights.</details>
# <details><summary>Hint 2</summary><code>lightness - lightness[0]</code> is what the second factor squares. <code>w @ ab</code> is
# (2,).</details>


# %%
@check("12.6")
def mean_of_like(ab, lightness, distance, sigma_s=3.0, sigma_l=4.0):
    """Surroundings ab (K, 2), L (K,), distance (K,) -> color of pixel 0, (2,)."""
    # BEGIN SOLUTION
    near = torch.exp(-(distance**2) / (2 * sigma_s**2))
    alike = torch.exp(-((lightness - lightness[0]) ** 2) / (2 * sigma_l**2))
    w = near * alike
    return w @ ab / w.sum()
    # END SOLUTION


# %% [markdown]
# (With 20 units of L and $\sigma_L = 4$ the factor is $e^{-12.5}$: next to nothing.)
#
# Four toy scenes. Their "prediction" is the true color plus noise of 25 ab units in a and in b, drawn for each pixel by itself.

# %%
toys = world.scenes(4, seed=70)
toy_L = toys.lightness[:, None]  # (4, 1, 48, 48)
random = torch.Generator().manual_seed(0)
noisy = toys.ab + 25 * torch.randn(toys.ab.shape, generator=random)

y, x = torch.meshgrid(torch.arange(-6, 7), torch.arange(-6, 7), indexing="ij")
distance = (y**2 + x**2).float().sqrt().flatten()  # (169,), the pixel in the middle
order = distance.argsort()  # its own number first
window = (slice(14, 27), slice(14, 27))  # around row 20, column 20
one = mean_of_like(
    noisy[0, :, *window].flatten(1).T[order],
    toy_L[0, 0, *window].flatten()[order],
    distance[order],
)
filtered = joint_bilateral(noisy, toy_L, sigma_space=3.0, sigma_lightness=4.0)
gap = (one - filtered[0, :, 20, 20]).abs().max()
print(f"largest difference from joint_bilateral at this pixel: {gap:.0e}")

# %% [markdown]
# **Predict.** Which repair comes nearest to the truth? What happens if it does not look at the lightness?

# %%
others = world.scenes(4, seed=71)  # to learn weights from
other_L = others.lightness[:, None]
other_noisy = others.ab + 25 * torch.randn(others.ab.shape, generator=random)
learned = learn_weights(other_L, others.ab, other_noisy)
endless = float("inf")
repaired = {
    "noisy": noisy,
    "filter": filtered,
    "filter, blind to L": joint_bilateral(noisy, toy_L, 3.0, endless),
    "energy": smooth(noisy, toy_L, strength=4.0, sigma=5.0),
    "energy, blind to L": smooth(noisy, toy_L, strength=4.0, sigma=endless),
    "energy, learned weights": smooth(noisy, toy_L, pairs=learned(toy_L)),
}
for name, ab in repaired.items():
    print(f"{name:25}off {(ab - toys.ab).norm(dim=1).mean():5.1f}")

# %% [markdown]
# From 31 to about 6 or 7, and to 11 or 12 without the lightness. The weights learned from four other scenes come nearest.
#
# Labels need distributions. Ours are mixed: 0.5 the palette of the kind, 0.3 the truth, 0.2 spread over all bins; then noise on
# every logit. **ICM** (iterated conditional modes) goes over the picture again and again, and each pixel takes the color that
# is best given its neighbors, so that the energy falls with each sweep. (Graph cuts, as in the paper, find deeper minima.)

# %%
truth = bins.nearest_bin(toys.ab)  # (4, 48, 48)
p = 0.5 * world.posterior(toys.kind) + 0.2 / 313
p.scatter_add_(1, truth[:, None], torch.full((4, 1, 48, 48), 0.3))
toy_z = p.log() + 1.5 * torch.randn(p.shape, generator=random)
labels = icm(toy_z, toy_L, strength=3.0)
likeliest = decode.mode(toy_z)
print("energy by sweep:", [round(e.sum().item()) for e in labels.energies])
for name, ab in (("mode", likeliest), ("labels", labels.ab)):
    wrong = (bins.nearest_bin(ab) != truth).float().mean()
    print(f"{name:8}off {(ab - toys.ab).norm(dim=1).mean():5.1f}, wrong bin {wrong:.1%}")

# %% jupyter={"source_hidden": true}
shown = {
    "true": toys.ab,
    "noisy": noisy,
    "filter": filtered,
    "energy": repaired["energy"],
    "mode": likeliest,
    "labels": labels.ab,
}
toy_rgb = {name: paint(toy_L[:1], ab[:1]) for name, ab in shown.items()}
show(
    pictures(
        [rgb[0] for rgb in toy_rgb.values()],
        [f"{name}\nchroma {chroma(rgb):.0f}" for name, rgb in toy_rgb.items()],
        6,
        1.25,
    ),
    alt="One toy scene six times: true; speckled all over; filtered and smoothed, "
    "with soft specks; the mode with single wrong pixels; labels with few, on roof "
    "and apple.",
    caption="Noise and its repairs. Outliers survive a mean as a soft cloud; a "
    "choice of labels drops most of them.",
)

# %% [markdown]
# **Predict.** What do such repairs add to the colors of our network?

# %%
print("off, ab units   network   + filter   + energy    mode   labels")
for name in ("coffee", "chelsea", "astronaut"):
    small_L = F.interpolate(lightness[name], (64, 64), mode="area")
    small_ab = F.interpolate(true_ab[name], (64, 64), mode="area")
    ab, z = decode.mean(logits[name]), logits[name]
    found = ab, joint_bilateral(ab, small_L), smooth(ab, small_L)
    found += decode.mode(z), icm(z, small_L, sweeps=2).ab
    print(f"{name:14}", end="")
    print("".join(f"{(x - small_ab).norm(dim=1).mean():10.1f}" for x in found))

# %% [markdown]
# Next to nothing. A network that sees the surroundings of each pixel already answers smoothly. Where it is wrong, it is wrong
# over a whole saucer: no neighbor knows better. A filter repairs noise, not ignorance.
#
# ## 8. With the true histogram given
#
# How much is the true histogram worth, over many photos? Larsson et al. measured it (their Table 4). So did we, with the
# network `hypercolumns` of lesson 9. RMSE is the mean distance in alpha-beta of lesson 8, section 4.


# %%
given = read_results("hypercolumns")["histograms"]
print(given["command"])
print(f"{given['photos']} validation photos, {given['pixels']} pixels", end=", ")
print(f"lambda {given['lambda']:g}")
print(f"{'':26}RMSE   PSNR, dB   chroma")
for name, row in given["rows"].items():
    print(f"{name:24}{row['rmse']:6.3f}{row['psnr']:11.2f}{row['chroma']:9.1f}")
print("RMSE in the paper:")
for name, value in given["RMSE in the paper, SUN-6"].items():
    print(f"{name:24}{value:6.3f}")

# %% [markdown]
# The order is the paper's: energy before ranks (quantile matching). On these photos ranks gain half a decibel of PSNR over the
# network alone and nothing in RMSE, and nearly triple the chroma. Energy takes a quarter off the RMSE and gains over 3 dB, with
# less chroma than ranks.
#
# ## What the papers say, what we measured
#
# | | papers | exact | this lesson |
# |---|---|---|---|
# | biases "rotated" through color space | changes "modulated by the uncertainty" (Larsson et al. 2016, section 4) | $dm / d\,\text{strength} = \Sigma u / 100$ | apple 20.25, lemon 0; on photos the brightest quarter of the map moves 1.7 to 4 times as far as the darkest |
# | uncertainty | entropy of the hue times chroma (the same, Figure 10) | apple: $\ln 2$ times chroma; tulip: 0, though it has two colors | mean 80 to 88 on three photos |
# | true histogram given: no transfer, quantiles, energy, RMSE | .211 (Table 3), .178, .165 (Table 4; SUN-6) | | .393, .395, .297 (33 photos of ImageNet) |
# | $\lambda$ | not named | probability of a lone red apple at 5: 0.935 | 10; from 3 to 30 the coffee goes from 19 to 11 units off |
# | colors by resemblance | .353, with references matched automatically; gray .285 (RMSE, SUN-6; Table 3 of Larsson et al.) | | coffee from a cat: off 27 (gray 44); rocket from an astronaut: off 47 (gray 22) |
# | strokes | a few scribbles suffice (Levin et al. 2004) | all colors lie between the painted ones | 12 strokes, off 21; gray 44 |
# | spatial repair | last step of Cheng et al. 2015; the core of Deshpande et al. 2015, of Charpiat et al. 2008 | | noise: from 31 to 6; our network: a gain of half a unit at the most |
#
# Charpiat's graph cuts, Deshpande's forests and Welsh's swatches: not run.
#
# **Take away**
# 1. A distribution is a proposal. One number for each color, added to all logits, bends a whole picture, as far as there is a
#    choice.
# 2. A histogram says which colors occur and how often, never where. The where must come from a network, from resemblance, or
#    from a hand.
# 3. "Equally light neighbors are equally colored" carries a stroke through a picture and repairs noise. It cannot repair what was not
#    known.
#
# ## Questions
#
# <details><summary>A bias is the same at every pixel. Could it make one of two equal cars red and leave the other
# blue?</summary>No. Equal distributions plus equal biases are equal distributions. It takes something that knows the place: a
# stroke.</details>
# <details><summary>Why is a sum of KL and chi-square better than matching the histogram exactly?</summary>The reference is
# another photo. To match its histogram exactly, even sure pixels would have to be repainted, as in quantile matching. The KL
# makes that costly.</details>
# <details><summary>You paint a single pixel of a photo. What does the method of section 6 do with the others?</summary>All of
# them take exactly that color: each may be the mean of its neighbors only if all are equal. The weights across edges are small,
# but never 0.</details>
# <details><summary>How would you change the measure of section 2 so that it sees the tulip?</summary>Measure the spread of the colors
# themselves: the trace of the covariance of section 1, or its root. It counts gray against pink as well as red against
# green.</details>
# <details><summary>What is the joint bilateral filter with an enormous sigma for L?</summary>A plain Gaussian blur: the second
# factor is 1 everywhere. Colors bleed across edges, as in the lines "blind to L".</details>

# %%
check.scorecard()
