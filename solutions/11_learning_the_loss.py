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
# # Lesson 11 · Learning the loss
#
# **Every loss so far was written down by a person. Can a network find out by itself what a good color is?**
#
# Two networks play against each other. One colors. The other looks at true and at made-up colorings, and learns to tell them
# apart. What it has learned is the loss of the first. Isola et al. (2017) colored photos in this way, and Agrawal and Sawhney
# tried to. You build the game, watch it where the right answer is known, and see what can go wrong.
#
# After this lesson you can
# - say what a distance between colors cannot decide, and why a discriminator can;
# - write the losses of both players, and say what their values mean;
# - tell what one patch of a discriminator sees, and what the skips of a U-Net are for;
# - read the curves of a game: who wins, what has gone gray, what has not been learned;
# - say where blotches come from in a network that chooses a and b apart.
#
# | to read and solve | to run | needs |
# |---|---|---|
# | 90 minutes, 5 exercises | about a minute, most of it seven small trainings | CPU only, no download |
#
# You should know the toy world (lesson 3) and color as classification (lesson 4). How exercises work: replace the line
# `raise NotImplementedError` by your answer and run the cell. Whatever the badge says, you can go on. Cells that only draw
# are folded; a click on the three dots opens them.

# %%
import textwrap

import ipywidgets
import torch
import torch.nn.functional as F

from colorize import images, toyruns
from colorize.adversarial import fit_pair, l1, signs
from colorize.check import check
from colorize.colorizer import Colorizer
from colorize.decode import paint
from colorize.evaluation import predict
from colorize.figures import ab_plane, name_row, panels, picture, pictures, show
from colorize.files import read_results
from colorize.lab import lab_to_rgb, rgb_to_lab
from colorize.marginal import equal_axis, jumps
from colorize.metrics import mean_chroma
from colorize.networks import PatchDiscriminator, UNet
from colorize.networks.gan import map_size, receptive_field
from colorize.toygan import CLOSE, Discs, decided
from colorize.toyworld import Palette, ToyWorld
from colorize.training import cosine, fit
from colorize.widgets import slider_demo

# %% [markdown]
# ## 1. Who says that a color is good?
#
# The smallest world with a choice: one disc on gray, red or green, each half of the time. The gray picture says where the disc
# is and how large, but not which color it has.

# %%
discs = Discs()
red, green = discs.palette.colors.float()  # (2,) each
p = discs.palette.probabilities
print(f"red {red.tolist()}, green {green.tolist()}, probabilities {p.tolist()}")
lightness, true_ab, disc = discs.scenes(60, seed=9_000_000)  # never trained on


# %% jupyter={"source_hidden": true}
def show_discs(rows, alt, caption, columns=8):
    """A row of discs for each name and ab (n, 2, S, S); the chroma inside above each."""
    fig, axes = panels(len(rows), 1, (0.95 * columns, 1.2))
    for ax, (name, ab) in zip(axes, rows.items(), strict=True):
        found = F.pad(paint(lightness[:columns], ab[:columns]), (1, 1, 0, 0), value=1.0)
        picture(ax, torch.cat(list(found), dim=2))
        for k in range(columns):
            chroma = ab[k].norm(dim=0)[disc[k]].mean()
            ax.text(18 * k + 9, -1.5, f"{chroma:.0f}", ha="center")
        name_row(ax, name)
    show(fig, alt, caption)


show_discs(
    {"gray": 0 * true_ab, "true": true_ab},
    alt="Eight small pictures with one disc each, gray above and in color below: some "
    "discs are red, some green.",
    caption="Eight discs of 16 pixels: what a network sees, and the colors that were "
    "drawn. The numbers are the mean chroma inside the disc: 65 is red, 53 is green.",
)

# %% [markdown]
# What does a loss want here? Both colors have b = 38, so only a matters. Paint all discs with one a between green and red. Half
# of the discs are then off by the distance to red, half by that to green.
#
# **Predict.** Which a has the least squared distance (L2)? Which has the least absolute distance (L1)?

# %%
a = torch.linspace(-70, 90, 161).double()
offset = a[:, None] - discs.palette.colors[:, 0]  # (161, 2)
cost = {"L2": offset.square() @ p, "L1": offset.abs() @ p}  # expected, (161,) each
for name, values in cost.items():
    best = a[values < values.min() + 1e-6]
    print(f"{name}: least from a = {best.min():.0f} to a = {best.max():.0f}")

# %% jupyter={"source_hidden": true}
fig, axes = panels(1, 3, (3.1, 2.6))
for ax, (name, values) in zip(axes, cost.items(), strict=False):
    ax.plot(a, values, color="black")
    ax.set(title=f"{name} of one color", ylim=(0, None))
axes[0].set(ylabel="mean cost (squared ab units)")
axes[1].set(ylabel="mean cost (ab units)")
axes[2].vlines(discs.palette.colors[:, 0], 0, p, color="black", linewidth=3)
axes[2].set(title="share of the true discs", ylim=(0, 1), xlim=axes[0].get_xlim())
for ax in axes:
    ax.set(xlabel="a  (green – red)")
show(
    fig,
    alt="Three plots over a. L2 is a parabola with its minimum at 8. L1 falls to -37, "
    "is level until 53 and rises. The share of true discs has two lines, at -37 and "
    "53.",
    caption="L2 asks for brown, a = 8. L1 has no opinion between the two colors. The "
    "data have: no disc lies between them.",
)

# %% [markdown]
# L1 is least at the **median**, and when two colors are equally frequent, every value between them is a median. So a network
# with L1 may stop anywhere on that level stretch: brown costs as much as red. (Lesson 3 saw this with smooth L1.) With shares
# of 0.7 and 0.3, L1 would always take the more frequent color.
#
# A distance compares one answer with one truth. Anyone who has seen a few hundred true discs would say: *there are no brown
# ones*. The simplest such judge remembers the colors that it has seen:

# %%
seen = {tuple(ab[:, here][:, 0].tolist()) for ab, here in zip(true_ab, disc, strict=True)}
for name, color in {"red": red, "green": green, "brown": (red + green) / 2}.items():
    word = "true" if tuple(color.tolist()) in seen else "made up"
    print(f"{name:6} {word}")

# %% [markdown]
# A list of colors is enough for discs. For photos there is no such list: what is believable depends on the thing, on its
# neighbors and on the light. So the judge must be learned, too.
#
# ## 2. The game
#
# Two networks:
# - the **generator** $G$ sees the gray picture $L$ and paints: $G(L)$ is a made-up ab;
# - the **discriminator** sees $L$ and an ab, true or made up. It answers with a logit $z$, and $D = 1 / (1 + e^{-z})$ is its
#   probability for "true".
#
# Together they are a *generative adversarial network*, a GAN. Here they are called painter and judge. The judge is a classifier
# with two classes, and its loss $J_D$ is the cross-entropy: $-\ln D$ for what is true, $-\ln(1 - D)$ for what is made up. Each
# counts half:
#
# $$ J_D = - \tfrac12\, \text{mean} \ln D(L, ab) \; - \; \tfrac12\, \text{mean} \ln \big(1 - D(L, G(L))\big). $$
#
# **Predict.** What is $J_D$ for a judge that cannot tell and always answers $D = 0.5$?
#
# ### Exercise 11.1 · The discriminator's loss
# ●●○○○ · 8 minutes
#
# Return $J_D$ from the logits of true and of made-up patches (parts of a picture; section 4). There may be more of one than of
# the other. It must be right for large logits, too.
#
# <details><summary>Hint 1</summary>Two means, one for the true and one for the made-up patches; then half of their sum. With a
# logit of -200 the sigmoid is 0 and its logarithm infinite: do not take it in two steps.</details>
# <details><summary>Hint 2</summary>-ln D is <code>F.softplus(-z)</code>, and -ln(1 - D) is <code>F.softplus(z)</code>. Or
# <code>F.binary_cross_entropy_with_logits</code> with ones and with zeros.</details>


# %%
@check("11.1")
def judge_loss(real, fake):
    """Logits of true and of made-up patches, any shapes -> one number."""
    # BEGIN SOLUTION
    for_true = F.softplus(-real).mean()
    for_made_up = F.softplus(fake).mean()
    return (for_true + for_made_up) / 2
    # END SOLUTION


# %%
for words, z in (("cannot tell", 0.0), ("fairly sure, right", 2.0), ("sure, right", 6.0)):
    D = torch.tensor(z).sigmoid()
    loss = judge_loss(torch.tensor([z]), torch.tensor([-z]))
    print(f"{words:20} D {D:.3f} for true, {1 - D:.3f} for made up: loss {loss:.3f}")
print(f"sure, wrong: {judge_loss(torch.tensor([-6.0]), torch.tensor([6.0])):.3f}")

# %% [markdown]
# A judge that cannot tell has a loss of $\ln 2 = 0.693$. Keep this number: it is the level at which the painter has won. (Isola
# et al. halve the loss, section 3.3. Goodfellow et al. 2014 do not; then it is $2 \ln 2 = 1.386$.)
#
# ### What the painter wants
#
# The painter wants $D$ to be high for what it paints. Goodfellow et al. first let it make $\ln(1 - D)$ small, the judge's own
# loss with its sign turned. Then they advise against it (section 3), and take $-\ln D$: it wants the same, but has another
# slope. At the beginning the judge easily finds out what is made up: $z = -6$, say. **Predict.** Which of the two then pushes
# the painter more?
#
# The distance to the truth is kept. Isola et al. add L1, times $\lambda = 100$ (section 4.2). We divide it by 110 ab units. The
# painter's loss is
#
# $$ J_G = - \text{mean} \ln D(L, G(L)) \; + \; \lambda\, \frac{\text{mean} |G(L) - ab|}{110}. $$
#
# ### Exercise 11.2 · The generator's loss
# ●●○○○ · 8 minutes
#
# Return $J_G$. The L1 distance is a mean over a and b of all pixels of all pictures.
#
# <details><summary>Hint 1</summary>The painter wants its patches to be called true. Which half of exercise 11.1 is that, and
# with which logits?</details>
# <details><summary>Hint 2</summary><code>(made - true).abs().mean()</code> is the L1 distance in ab units; divide it by 110,
# multiply it by the weight, add the first part.</details>


# %%
@check("11.2")
def painter_loss(fake, made, true, weight=100.0):
    """Logits of made-up patches; made-up and true ab (N, 2, H, W) -> one number."""
    # BEGIN SOLUTION
    found_out = F.softplus(-fake).mean()
    distance = (made - true).abs().mean() / 110
    return found_out + weight * distance
    # END SOLUTION


# %%
z = torch.linspace(-8, 8, 161, requires_grad=True)
exact = torch.zeros(1, 2, 1, 1)  # the same color made and true: no L1
(ours,) = torch.autograd.grad(sum(painter_loss(one, exact, exact) for one in z), z)
(games,) = torch.autograd.grad((1 - z.sigmoid()).log().sum(), z)
for at in (20, 80, 140):
    print(f"z = {round(z[at].item()):+d}: slope of -ln D {ours[at]:.4f}", end=", ")
    print(f"of ln(1 - D) {games[at]:.4f}")

# %% jupyter={"source_hidden": true}
fig, (ax,) = panels(1, 1, (5.2, 2.7))
ax.plot(z.detach(), -ours, color="black", label="-ln D")
ax.plot(z.detach(), -games, "--", color="C3", label="ln(1 - D)")
ax.set(xlabel="logit z of a made-up patch  (surely found out – taken for true)")
ax.set(ylabel="push toward true", ylim=(0, 1.05))
ax.legend(frameon=False, loc="center right")
show(
    fig,
    alt="Two curves over the logit. The push of -ln D is 1 at the left and falls to 0 "
    "at the right; that of ln(1 - D) is 0 at the left and rises to 1.",
    caption="How strongly each loss pushes the logit up. Where the judge is sure that "
    "a patch is made up, ln(1 - D) hardly pushes at all.",
)

# %% [markdown]
# $-\ln D$ pushes most where the painter is found out, and has most to learn. It is called the *non-saturating* loss.
#
# How much does each part of $J_G$ weigh? At $D = 1/2$ the first is 0.69. A distance of 10 ab units makes the second 100 · 10 /
# 110 = 9.1. But it is slopes that move a network, not values. Between red and green the slope of the expected L1 is zero,
# whatever its weight: the pull to red and the pull to green cancel. There even a faint voice of the judge decides.
#
# ## 3. The best discriminator
#
# Suppose that a share $p$ of the true discs and a share $q$ of the made-up ones have a certain color. Shown that color, the
# judge can do no better than to say how often it was true:
#
# $$ D^* = \frac{p}{p + q}. $$
#
# (Goodfellow et al., proposition 1. Set the slope of $-p \ln D - q \ln(1 - D)$ to zero.)
#
# **Predict.** A painter makes all discs red. True discs are red half of the time. What does the best judge say of a red
# disc?
#
# ### Exercise 11.3 · The best discriminator
# ●●●○○ · 10 minutes
#
# For K colors, return $D^*$ of each, and the expected loss $J_D$ of the judge that gives these answers: each color counts as
# often as it occurs. A color that no disc has, $p = q = 0$, gets $D^* = 1/2$ and adds nothing to the loss.
#
# <details><summary>Hint 1</summary>0/0 is NaN; <code>torch.where</code> can replace it afterwards. And the loss is half of
# sum(-p ln D) plus half of sum(-q ln(1 - D)).</details>
# <details><summary>Hint 2</summary>0 times ln 0 should be 0, but <code>0 * torch.log(0)</code> is NaN. <code>torch.xlogy(p,
# D)</code> is p ln D, and 0 where p is 0.</details>


# %%
@check("11.3")
def best_judge(p, q):
    """Shares of K colors, true (K,) and made up (K,) -> D (K,), loss."""
    # BEGIN SOLUTION
    D = torch.where(p + q > 0, p / (p + q), 0.5)
    for_true = -torch.xlogy(p, D).sum()
    for_made_up = -torch.xlogy(q, 1 - D).sum()
    return D, (for_true + for_made_up) / 2
    # END SOLUTION


# %%
truth = torch.tensor([0.5, 0.5, 0.0])  # red, green, brown
painters = {
    "brown": (0.0, 0.0, 1.0),
    "red": (1.0, 0.0, 0.0),
    "red 0.9, green 0.1": (0.9, 0.1, 0.0),
    "half of them brown": (0.25, 0.25, 0.5),
    "red or green": (0.5, 0.5, 0.0),
}
print("painter              D*:   red  green  brown    loss")
for name, shares in painters.items():
    D, loss = best_judge(truth, torch.tensor(shares))
    print(f"{name:20}" + "".join(f"{x:7.2f}" for x in (*D.tolist(), abs(loss))))

# %% [markdown]
# - *Brown* is always found out: loss 0. It is what L2 asks for and L1 allows.
# - *Red* alone is on the palette, and yet the judge can tell something: a red disc is true with probability 1/3 only, since
#   green is missing. Making one plausible color for everything is called **mode collapse**; against the best judge it does not
#   pay.
# - *Red or green*, half each, is the only painter that the best judge cannot tell: $D^* = 1/2$, loss 0.69. The best judge's
#   loss is $\ln 2$ minus a distance between the two distributions (their Jensen-Shannon divergence), which is 0 only if they
#   are equal.
#
# So against the best judge, the best painter paints from the *palette*, not its mean. Nobody wrote this loss down.
#
# Does a judge that learns from examples find $D^*$? Below it has three logits, one for each color, and sees 2,000 true and
# 2,000 made-up discs. The painter is "half of them brown".

# %%
torch.manual_seed(0)
q = torch.tensor(painters["half of them brown"])
true_color = torch.multinomial(truth, 2000, replacement=True)  # numbers of colors
made_color = torch.multinomial(q, 2000, replacement=True)
logits = torch.zeros(3, requires_grad=True)
adam = torch.optim.Adam([logits], 0.3)
for _ in range(50):
    adam.zero_grad()
    judge_loss(logits[true_color], logits[made_color]).backward()
    adam.step()
print("learned:", [round(D, 2) for D in logits.sigmoid().tolist()])
print("best:   ", [round(D, 2) for D in best_judge(truth, q)[0].tolist()])

# %% [markdown]
# It comes close. For brown the logit would have to run to minus infinity.
#
# ## 4. Two networks for it
#
# ### The painter: a U-Net
#
# The picture is halved again and again, here down to a single cell, and then doubled again and again. On the way down the
# network finds out *what* is there, and forgets *where*. So each level on the way up is also handed what the same level knew on
# the way down. These handed-over maps are the **skips**. Drawn from left to right, the way down and up is a U. (Isola et al.,
# section 3.2.1.)

# %% jupyter={"source_hidden": true}
fig, (ax,) = panels(1, 1, (8.2, 3.0))
sizes = [64, 32, 16, 8, 4, 2, 1]
for level, pixels in enumerate(sizes):
    for x in (level, 12 - level):
        h = 0.2 + 0.08 * (6 - level)
        ax.bar(x, h, 0.5, -level * 0.5 - h / 2, color="0.85", edgecolor="black")
        ax.text(x, -level * 0.5, pixels, ha="center", va="center", fontsize=8)
    if 0 < level < 6:
        ax.annotate(
            "",
            (12 - level - 0.3, -level * 0.5),
            (level + 0.3, -level * 0.5),
            arrowprops={"arrowstyle": "->", "color": "C0", "linestyle": "--"},
        )
ax.text(6, -0.38, "skips (dashed): the same level hands its maps over", ha="center")
ax.text(0, 0.5, "L in", ha="center")
ax.text(12, 0.5, "ab out", ha="center")
ax.set(xlim=(-0.6, 12.6), ylim=(-3.4, 0.8))
ax.set_axis_off()
show(
    fig,
    alt="Thirteen boxes in the shape of a V: 64, 32, 16, 8, 4, 2, 1 pixels down to the "
    "middle, and up again to 64. Dashed arrows join boxes of one size across, from 32 "
    "to 2.",
    caption="`UNet` for a picture of 64 pixels. The numbers are the sides of the maps. "
    "Each step is a convolution with a kernel of 4 and a stride of 2.",
)

# %% [markdown]
# What does a painter without skips lose? Take a disc with *one* color, so that there is nothing to guess, and train two U-Nets
# with L1 alone. In the second all skips are set to zero, so that the place of the disc must pass through a single cell.
#
# **Predict.** Which discs will it find: all, the large ones, none?


# %%
def without_skips(network):
    """Set to zero what each level is handed: the second half of its channels."""

    def cut(module, inputs):
        below, handed = inputs[0].chunk(2, dim=1)
        return (torch.cat((below, 0 * handed), dim=1),)

    for level in (*network.up[1:], network.head):
        level.register_forward_pre_hook(cut)
    return network


# %%
size = toyruns.size()
yellow = Discs(Palette([(-3, 68)], [1.0]))
yellow_L, yellow_ab, yellow_disc = yellow.scenes(60, seed=9_000_000)
rows = {"true": yellow_ab}
for name, change in (("with skips", lambda x: x), ("without", without_skips)):
    torch.manual_seed(0)
    network = change(UNet(width=1 / 16))
    fit(network, yellow, l1, size.steps // 8, size.batch_size, 3e-3, progress=False)
    with torch.no_grad():
        rows[name] = network(yellow_L)

# %% tags=["trained"]
inside = -F.max_pool2d(-yellow_disc.float()[:, None], 3, 1, 1)[:, 0] > 0
around = F.max_pool2d(yellow_disc.float()[:, None], 3, 1, 1)[:, 0] > 0
print("distance from the truth:  inside   at the rim   outside   (ab units)")
for name in ("with skips", "without"):
    off = (rows[name] - yellow_ab).norm(dim=1)
    means = [off[where].mean() for where in (inside, around & ~inside, ~around)]
    print(f"{name:22}{means[0]:9.1f}{means[1]:13.1f}{means[2]:10.1f}")

# %% jupyter={"source_hidden": true} tags=["trained"]
show_discs(
    rows,
    alt="Six yellow discs in three rows: true; with skips, yellow with a gray rim; "
    "without, gray or smeared with some yellow.",
    caption="One color, nothing to guess, 150 steps. Numbers: mean chroma inside the "
    "disc.",
    columns=6,
)

# %% [markdown]
# 150 steps are few: with skips the color is not yet full, and pale at the rim. Without them the small discs stay gray, and many
# of the large ones get a smear of yellow that does not know where they end. With skips a network need not choose between *what*
# and *where*.
#
# ### Why a kernel of 4?
#
# The way up is made of *transposed* convolutions: each cell writes a kernel of numbers into the larger map, 2 pixels beside its
# neighbor's. Some pixels may be written more often than others. **Predict.** How often is each pixel of a row written with a
# kernel of 3, and with one of 4?

# %%
for kernel in (3, 4):
    ones = torch.ones(1, 1, kernel)
    times = F.conv_transpose1d(torch.ones(1, 1, 6), ones, stride=2)[0, 0]
    print(f"kernel {kernel}:", *(int(t) for t in times[2:-2]))

# %% [markdown]
# With 3, every second pixel gets twice as much. A network can learn to undo that, but it begins with a checkerboard. With 4,
# twice the stride, all pixels get the same. (The blotches of section 8 have another cause.)
#
# ### The judge: PatchGAN
#
# The judge of Isola et al. does not answer for the whole picture (section 3.2.2). Ours is built like theirs, of convolutions
# with a kernel of 4 and a padding of 1. It answers with a *map* of logits. Each logit sees a square of the picture, its
# **patch**. The loss is the mean over the map, so every patch must look true. Such a network is small and takes pictures of any
# size.
#
# How large is the patch? Go backward from one logit: $r$ cells after a convolution with a kernel of 4 and stride $s$ see
# $s\,(r - 1) + 4$ cells before it. And how large is the map? Go forward: $n$ cells with a padding of 1 on both sides give
# $\lfloor (n + 2 - 4) / s \rfloor + 1$.
#
# **Predict.** Strides 2, 2, 1, 1 on a picture of 64 pixels: how large are patch and map? Do the patches overlap?
#
# ### Exercise 11.4 · What a patch sees
# ●●○○○ · 8 minutes
#
# Return the side of the patch in pixels, and the side of the map, for such convolutions with the given strides, first to last.
#
# <details><summary>Hint 1</summary>Two loops. One goes from the last stride to the first and begins with 1 cell; the other
# goes from the first to the last and begins with the picture.</details>
# <details><summary>Hint 2</summary><code>reversed(strides)</code> for the patch. Whole division is
# <code>//</code>.</details>


# %%
@check("11.4")
def sees(strides, pixels):
    """Strides (tuple), side of the picture -> side of the patch, side of the map."""
    # BEGIN SOLUTION
    side, cells = 1, pixels
    for stride in reversed(strides):
        side = stride * (side - 1) + 4
    for stride in strides:
        cells = (cells + 2 - 4) // stride + 1
    return side, cells
    # END SOLUTION


# %%
for halvings, pixels in ((2, 16), (2, 64), (2, 256), (3, 256)):
    side, cells = sees((2,) * halvings + (1, 1), pixels)
    same = (side, cells) == (receptive_field(halvings), map_size(pixels, halvings))
    print(
        f"{halvings} halvings, {pixels:3} pixels: patch {side:2}, map {cells} x {cells}",
        end="",
    )
    print(", as in the library" if same else "")

# %% [markdown]
# Patches of 34 pixels on a map of 14 x 14: neighbors overlap almost entirely. Isola et al. use patches of 70 pixels (section
# 4.4): three halvings, and 30 x 30 patches at 256 pixels. The code of Agrawal and Sawhney has two halvings at 64 pixels: 14 x
# 14 (their text says 30 x 30). On our discs of 16 pixels the map is 2 x 2, and each logit sees the whole picture.
#
# ## 5. Watch a game
#
# In each step both see the same batch. The judge learns first, from true discs and from discs just painted. Then the painter
# learns, and asks this new judge. Both learning rates fall along a cosine: at a constant rate the two chase each other and do
# not settle. $\lambda$ is 100.
#
# `alone` is the same painter with L1 only. Its judge learns as well, to show how easily such colors are found out, but the
# painter does not listen.
#
# **Predict.** Where in the ab plane will the discs of `alone` lie, and where those of `game`?


# %%
def asked(network):
    """Mean answer on each of the 60 discs: (60, 2)."""
    with torch.no_grad():
        answer = network(lightness).movedim(1, -1)  # (60, S, S, 2)
    return torch.stack(
        [ab[here].mean(dim=0) for ab, here in zip(answer, disc, strict=True)]
    )


def play(data, steps, weight=100.0, rate=3e-3, seed=2, **options):
    """A new painter and a new judge; the painter, the match, its colors at 21 moments."""
    torch.manual_seed(seed)
    painter, judge = UNet(width=1 / 16), PatchDiscriminator(width=1 / 16)
    kept = [asked(painter.eval())]
    options |= {"seed": seed, "l1_weight": weight, "rate": cosine}
    options["report_every"] = max(1, steps // 20)
    options["report"] = lambda match: kept.append(asked(painter))
    match = fit_pair(painter, judge, data, steps, size.batch_size, rate, **options)
    return painter, match, kept


# %%
alone_painter, alone_match, alone = play(discs, size.steps // 6, adversarial_weight=0.0)
painter, match, moments = play(discs, size.steps // 3)

# %% jupyter={"source_hidden": true} tags=["trained"]
fig, axes = panels(1, 2, (3.9, 3.9))
colors = torch.stack((red, green))
for ax, (name, ab) in zip(
    axes, {"alone": alone[-1], "game": moments[-1]}.items(), strict=True
):
    distance, _ = decided(ab, discs.palette)
    ab_plane(ax, f"{name}: {(distance < CLOSE).double().mean():.0%} within {CLOSE}")
    ax.scatter(*ab.T, s=14, facecolor="none", edgecolor="black", label="60 discs")
    ax.scatter(*colors.T, s=90, marker="x", color="black", label="true colors")
    ax.set(xlim=(-70, 85), ylim=(-45, 75))
axes[0].legend(frameon=False, fontsize=8, loc="lower right")
show(
    fig,
    alt="Two ab planes with crosses at the true red and green. With L1 alone the "
    "circles lie between the crosses, near neither. After the game most lie in two "
    "groups near the crosses, a few between.",
    caption="Mean color of each disc. L1 alone stops between the two colors. With the "
    "judge most discs are one or the other.",
)

# %% tags=["trained"]
is_red = torch.stack([ab[0, here][0] > 0 for ab, here in zip(true_ab, disc, strict=True)])
print("        distance from the nearer color   near one   red   green   wrong")
for name, ab in {"alone": alone[-1], "game": moments[-1]}.items():
    distance, which = decided(ab, discs.palette)
    near = distance < CLOSE
    reds, greens = ((near & (which == k)).sum() for k in (0, 1))
    wrong = (near & ((which == 0) != is_red)).sum()
    print(f"{name:8}{distance.mean():30.1f}{near.double().mean():11.0%}", end="")
    print(f"{reds:6}{greens:8}{wrong:8}")
start, end = (decided(ab, discs.palette)[0].mean() for ab in (moments[0], moments[-1]))
print("learned" if end < 0.85 * start else "NOT learned: play again before you go on")

# %% jupyter={"source_hidden": true} tags=["trained"]
with torch.no_grad():
    shown = {"true": true_ab, "game": painter(lightness)}
show_discs(
    shown,
    alt="Eight discs in true colors and as painted after the game: red and green ones "
    "in both rows, not always the same.",
    caption="The painter cannot know which color was drawn, so red stands where green "
    "was. Numbers: mean chroma inside the disc.",
)

# %% [markdown]
# With L1 alone all discs lie between the two colors. After the game nine of ten are near one of them, and both occur. The discs
# are mottled, and a few stay brown. Of those near a color four of ten have the *wrong* one, 90 ab units away. (Three seeds gave
# 98, 90 and 88 % near a color. You see the third.)
#
# **Predict.** By L1, which of the two is better? And the judge: how often is it right about each?

# %% tags=["trained"]
print("mean of the last 50 steps        alone    game")
for name, words in {
    "l1": "L1 (ab units)",
    "chroma": "chroma",
    "true_chroma": "chroma of the truth",
    "discriminator": "loss of the judge",
    "adversarial": "loss -ln D of the painter",
    "real": "true patches called true",
    "fake": "made-up patches found out",
}.items():
    print(f"{words:28}{alone_match.recent(name):10.2f}{match.recent(name):8.2f}")


# %% jupyter={"source_hidden": true} tags=["trained"]
def smooth(values, window=20):
    """Running mean of a list."""
    return torch.tensor(values).unfold(0, min(window, len(values)), 1).mean(dim=1)


def show_signals(found, alt, caption):
    """Losses, hits of the judge, chroma of the painter: a column for each match."""
    fig, axes = panels(3, len(found), (2.6, 1.6))
    grid = axes.reshape(3, -1)
    parts = (
        (("adversarial", "painter, -ln D"), ("discriminator", "judge")),
        (("real", "true, called true"), ("fake", "made up, found out")),
        (("chroma", "made up"), ("true_chroma", "true")),
    )
    for column, (title, one) in zip(grid.T, found.items(), strict=True):
        column[0].set_title(title)
        for ax, names, top in zip(column, parts, (6, 1.05, 40), strict=True):
            for (name, words), style in zip(names, ("-", "--"), strict=True):
                ax.plot(smooth(one.signals[name]), style, color="black", label=words)
            ax.set_ylim(0, top)
            ax.tick_params(labelbottom=ax in grid[2], labelleft=ax in grid[:, 0])
        column[0].axhline(0.693, color="0.6", linewidth=1)
        column[2].set_xlabel("step")
    for ax, words in zip(
        grid[:, 0], ("loss (nats)", "share right", "chroma"), strict=True
    ):
        ax.set_ylabel(words)
    for ax in grid[:, -1]:
        ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    show(fig, alt, caption)


show_signals(
    {"alone": alone_match, "game": match},
    alt="Six plots in two columns. Alone: the loss of the judge falls to 0, that of the "
    "painter rises, the judge is right about everything, chroma falls below the truth. "
    "Game: the losses stay apart but level, the judge is right about most but not all, "
    "chroma falls to that of the truth and stays there.",
    caption="What happened, as means of 20 steps. Gray line: ln 2, where the judge "
    "only guesses. Chroma is the mean over the whole picture, gray ground included.",
)

# %% [markdown]
# L1 finds `alone` better: it was trained for nothing else. The judge finds it out every time.
#
# In the game the judge is right about four patches of five, and its loss stays below ln 2: the painter has not won. It has not
# lost either, and its chroma is that of the truth. Both losses end about where they began. Each player's loss depends on how
# good the other is, so a level curve can mean that both get better. Progress must be measured outside the game: here, by the
# distance from the palette.
#
# **Predict.** Discs that look right, and a judge that is mostly right: what gives the painter away?

# %% tags=["trained"]
with torch.no_grad():
    answers = {
        "true": true_ab,
        "alone": alone_painter(lightness),
        "game": painter(lightness),
    }
print("chroma:   in the discs   on the ground   spread in a disc")
for name, ab in answers.items():
    chroma = ab.norm(dim=1)
    print(f"{name:6}{chroma[disc].mean():16.1f}{chroma[~disc].mean():16.1f}", end="")
    inner = [one[:, here].std(dim=1).norm() for one, here in zip(ab, disc, strict=True)]
    print(f"{sum(inner) / 60:19.1f}")

# %% [markdown]
# A true disc has one color up to its rim, and its ground has none. The painted ones are mottled, and their ground has a tint.
# The judge may go by that.
#
# ### How it came about
#
# **Predict.** All discs begin in one spot. Do they first become brown and then split, or do they part at once? Move
# the slider.


# %% jupyter={"source_hidden": true} tags=["trained"]
SIDE, REACH = 288, 80  # pixels of the plane; it is drawn from -REACH to REACH
axis = torch.linspace(-REACH, REACH, SIDE)
plane = torch.stack(
    (torch.full((SIDE, SIDE), 85.0), *torch.meshgrid(axis, -axis, indexing="xy"))
)
plane = 0.5 + 0.5 * lab_to_rgb(plane)  # pale


def dot(canvas, color, half, value):
    """A square of 2 half + 1 pixels where a color lies."""
    column, row = (
        (((color * torch.tensor([1.0, -1.0]) / REACH + 1) / 2) * (SIDE - 1))
        .long()
        .tolist()
    )
    column, row = (min(max(x, half), SIDE - 1 - half) for x in (column, row))
    canvas[:, row - half : row + half + 1, column - half : column + half + 1] = value


def at_moment(k):
    """The ab plane at one of the moments, and what it shows in words."""
    canvas = plane.clone()
    for color in colors:
        dot(canvas, color, 6, 1.0)
    for color in moments[k]:
        dot(canvas, color, 1, 0.0)
    distance, which = decided(moments[k], discs.palette)
    near = distance < CLOSE
    reds, greens = (int((near & (which == j)).sum()) for j in (0, 1))
    steps = min(len(match.losses), k * max(1, len(match.losses) // 20))
    rest = 60 - reds - greens
    return canvas, f"step {steps}: {reds} of 60 discs red, {greens} green, {rest} neither"


# %%
moment = ipywidgets.IntSlider(0, 0, len(moments) - 1, 1, description="moment")
slider_demo(at_moment, moment, "moment", "The ab plane with 60 discs", width=432)

# %% [markdown]
# White squares are the true red (right) and green (left), black dots the 60 discs; a runs to the right, b upward. Five moments,
# for readers without a kernel:

# %% jupyter={"source_hidden": true} tags=["trained"]
fig, axes = panels(1, 5, (1.75, 1.9))
for ax, k in zip(axes, (0, 2, 4, 8, len(moments) - 1), strict=True):
    k = min(k, len(moments) - 1)
    ax.scatter(*colors.T, s=60, marker="x", color="0.5")
    ax.scatter(*moments[k].T, s=5, color="black")
    ax.set(xlim=(-70, 105), ylim=(-60, 75), xticks=[], yticks=[])
    ax.set_title(at_moment(k)[1].split(":")[0])
axes[0].set(xlabel="a", ylabel="b")
show(
    fig,
    alt="Five small plots of the ab plane at growing steps. The discs start in one "
    "point, move up as one cloud to the middle between the crosses, and part to both "
    "sides.",
    caption="The discs (dots) and the true colors (crosses) at five moments of the game.",
)

# %% [markdown]
# They first go to the middle, where L1 is content; then they part. At step 160 many are beyond red: the game is restless until
# the rates fall.
#
# ### Which disc becomes red?
#
# The painter has no dice: the same picture gives the same answer. So something in the gray picture must decide. There is
# nothing in it but the place and the size of the disc, and neither says anything about the color. **Predict.** What does the
# painter go by?

# %% jupyter={"source_hidden": true} tags=["trained"]
rows_of, columns_of = torch.meshgrid(
    torch.arange(16.0), torch.arange(16.0), indexing="ij"
)
count = disc.sum(dim=(1, 2))
middle = [(disc * place).sum(dim=(1, 2)) / count for place in (columns_of, rows_of)]
which = decided(moments[-1], discs.palette)[1]
fig, (ax,) = panels(1, 1, (4.4, 3.3))
for k, (marker, words) in enumerate((("^", "painted red"), ("o", "painted green"))):
    here = which == k
    ax.scatter(
        count[here], middle[1][here], s=36, marker=marker, label=words,
        facecolor="C3" if k == 0 else "white", edgecolor="black",
    )  # fmt: skip
ax.set(xlabel="size of the disc (pixels)", ylabel="row of its middle (down)")
ax.invert_yaxis()
ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
show(
    fig,
    alt="A scatter plot of 60 discs by size and row. Triangles, painted red, lie in a "
    "band of middle rows; circles, painted green, above and below it.",
    caption="Where the discs are that were painted red: mostly in the middle rows.",
)

# %% tags=["trained"]
for top, bottom in ((0, 6), (6, 8.1), (8.1, 16)):
    here = (middle[1] >= top) & (middle[1] < bottom)
    reds = (which[here] == 0).double().mean()
    print(f"middle in rows {top} to {bottom}: {here.sum()} discs, {reds:.0%} painted red")

# %% [markdown]
# Red in the middle, green above and below: the painter has invented a rule. Half of its discs are red, and still it cannot win
# like this, since the judge sees the place as well. Where all discs are red, the best judge gives a red one only 1/3 (the
# painter "red" of exercise 11.3), and pushes it to green. So the rule has to move on. That may be why the game is so restless.
#
# Can the painter get dice? Isola et al. fed random numbers to the generator, which learned to ignore them. Instead they use
# *dropout*, after the training, too (section 3.1). Our U-Net sets half of the channels of three levels to zero at random; after
# the training only for `samples`. **Predict.** Of 60 discs, painted eight times each, how many come out sometimes red and
# sometimes green?

# %% tags=["trained"]
draws = painter.samples(lightness, 8)  # (8, 60, 2, 16, 16)
means = (draws * disc[:, None]).sum(dim=(-1, -2)) / count[:, None]  # (8, 60, 2)
found = decided(means.reshape(-1, 2), discs.palette)[1].view(8, 60)
both = (found != found[0]).any(dim=0).sum()
spread = means.std(dim=0).mean()
print(f"spread over 8 draws: {spread:.1f} ab units; red and green are 90 apart")
print(f"{both} of 60 discs come out in both colors")

# %% [markdown]
# The dice are hardly used. Isola et al. report the same: "only minor stochasticity" (section 3.1). A GAN of this kind gives one
# plausible answer, not the distribution. Lesson 6 had 313 probabilities to draw from.
#
# ## 6. What goes wrong
#
# Three games that fail, each in its own way:
# - `gray`: four hues around gray, and L1 alone, as if the judge's voice were too weak to be heard;
# - `judge wins`: no L1, a painter at a thirtieth of its learning rate, and a judge at 20 times the painter's;
# - `no L1`: the game of section 5 without L1.
#
# **Predict** for each how the losses, the judge's hits and the chroma will look.

# %%
four = Discs(Palette([(40, 0), (0, 40), (-40, 0), (0, -40)], [1 / 4] * 4))
games = {
    "gray": play(four, size.steps // 12, adversarial_weight=0.0),
    "judge wins": play(discs, size.steps // 12, 0.0, rate=1e-4, balance=20.0),
    "no L1": play(discs, size.steps // 6, 0.0),
}
failed = {name: found[1] for name, found in games.items()}

# %% jupyter={"source_hidden": true} tags=["trained"]
show_signals(
    failed,
    alt="Nine plots in three columns. Gray: chroma of the made up far below the truth. "
    "Judge wins: the painter's loss climbs, the judge is right about all. No L1: "
    "the losses are nearly level, and the chroma is twice the truth.",
    caption="Three failures, read from the same three plots.",
)

# %% tags=["trained"]
for name, one in {"game": match, **failed}.items():
    found = signs(one, window=20) or {"no sign": "nothing found"}
    for sign, words in found.items():
        print(textwrap.fill(f"{name}: {sign}: {words}", 84, subsequent_indent="   "))
near = (decided(games["no L1"][2][-1], discs.palette)[0] < CLOSE).double().mean()
with torch.no_grad():
    ground = games["no L1"][0](lightness).norm(dim=1)[~disc].mean()
print(f"no L1: {near:.0%} of the discs near a color; chroma of the ground {ground:.0f}")

# %% [markdown]
# - **Gray.** *Symptom:* chroma far below the truth, and a judge that is always right. *Cause:* the painter does not hear the
#   judge; the median of four hues around gray is gray. *Cure:* less weight on L1, or a judge that is heard.
# - **The judge wins.** *Symptom:* it is right about everything, the painter's loss climbs, and the picture hardly changes.
#   *Cause:* one player learns much faster than the other. *Cure:* a smaller rate for the judge (`balance` below 1), or asking
#   it for less than certainty (`smoothing`).
# - **No L1.** *Symptom:* `signs` finds nothing, the losses are nearly level, and most discs have one of their colors. Yet the
#   chroma is twice the truth, because the ground is painted, too. *Cause:* the painter is found out nine times out of ten, but
#   has too few steps to learn from it. *Cure:* L1, which keeps the ground gray from the first steps on.
#
# The first two can be read from the losses and hits. The third shows only in a comparison with the truth. (We did not see this
# painter collapse to one color. In the report of Agrawal and Sawhney the GAN is "unable to learn well so far".)
#
# ## 7. The whole toy world
#
# A disc on gray is a small world. Does the game also work in one with sky, grass, houses and fruit? Here are stored numbers of
# the same two trainings with scenes of 24 pixels: $\lambda = 10$, 1,500 steps of 16 scenes, a painter twice as wide. The apples
# are those of 200 scenes that neither has seen.
#
# **Predict.** Green grass is everywhere in these scenes. What will L1 do with the apples? Will the game get as far as with
# discs?

# %%
toy = read_results("toy_gan")
print(f"{toy['command']}; {toy['rows']['gan']['apples']} apples")
for name, row in toy["rows"].items():
    low, *_, high = row["quantiles of a"]
    print(f"{name:4} {row['distance']:.0f} ab units from the nearer color", end=", ")
    print(f"{row['decided']:.0%} within {CLOSE}", end=", ")
    print(f"{row['red']:.0%} nearer to red; a from {low:.0f} to {high:.0f}")
    signals = row["signals"]
    print(f"     judge right about {signals['real']:.0%} of the true", end=", ")
    print(f"{signals['fake']:.0%} of the made up; L1 {signals['l1']:.1f} ab units")

# %% [markdown]
# L1 leaves the apples between the colors, on the side of green: 41 % are near it, hardly any leans to red, and the judge finds
# them all out. After the game there are red apples and green ones, and the judge is right about two of three. But the result is
# not as clean as with the discs: a little over half of the apples are near a color. By L1 the game is again worse.
#
# ## 8. Where blotches come from
#
# Agrawal and Sawhney show pictures with "blotches of incoherent color", above all from the classifier. They blame the last
# layer, which is "different for every pixel" (section 5.5). Look at it in a world where everything is known.
#
# Their network answers with 10 numbers for a and 10 for b, and takes the likeliest bin of each axis. But neither axis knows
# what the other has chosen.
#
# **Predict.** A thing is (50, 30) with probability 0.4, (-30, 10) with 0.3 and (-30, -50) with 0.3. Which a is likeliest? Which
# b? Is that a color of the thing?
#
# ### Exercise 11.5 · Alone and together
# ●●○○○ · 8 minutes
#
# `joint` holds the probability of each pair of bins, a down and b to the right. Return the color (a, b) of the likeliest
# bins, each axis by itself, and the color of the likeliest pair.
#
# <details><summary>Hint 1</summary>How likely is an a, whatever b? It is the sum of its row. How likely is a pair? It stands in
# the table.</details>
# <details><summary>Hint 2</summary><code>joint.sum(dim=1).argmax()</code> is the number of the likeliest a.
# <code>joint.argmax()</code> counts through the flat table: <code>// K</code> is the row, <code>% K</code> the
# column.</details>


# %%
@check("11.5")
def likeliest(joint, centers):
    """Probabilities (K, K), centers of both axes (K,) -> color (2,), color (2,)."""
    # BEGIN SOLUTION
    alone = centers[torch.stack((joint.sum(dim=1).argmax(), joint.sum(dim=0).argmax()))]
    row, column = joint.argmax() // len(centers), joint.argmax() % len(centers)
    together = torch.stack((centers[row], centers[column]))
    return alone, together
    # END SOLUTION


# %%
ten = equal_axis(10)  # bins of 20 ab units from -100 to 100


def table(palette):
    """Probabilities of the pairs of bins: (10, 10)."""
    where = tuple(ten.index(palette.colors[:, k]) for k in (0, 1))
    return torch.zeros(10, 10).index_put(
        where, palette.probabilities.float(), accumulate=True
    )


three = Palette([(50, 30), (-30, 10), (-30, -50)], [0.4, 0.3, 0.3])
alone_color, pair_color = likeliest(table(three), ten.centers)
for words, color in (("each alone", alone_color), ("as a pair", pair_color)):
    distance, _ = decided(color[None], three)
    print(f"{words}: {color.tolist()}", end=", ")
    print(f"{distance.item():.0f} ab units from the nearest color")

# %% [markdown]
# The likeliest a with the likeliest b is a color that the thing never has. Is this rare? **Predict.** Of 300 random palettes of
# two, three or six colors, how many have this fault?

# %%
random = torch.Generator().manual_seed(0)
for k in (2, 3, 6):
    lost = 0
    for _ in range(300):
        colors_of = torch.rand(k, 2, generator=random) * 160 - 80
        shares = torch.rand(k, generator=random) + 0.2
        joint = table(Palette(colors_of, shares.double() / shares.double().sum()))
        alone_color, _ = likeliest(joint, ten.centers)
        i, j = ten.index(alone_color)
        lost += bool(joint[i, j] == 0)
    print(f"{k} colors: {lost / 3:.0f} % have a likeliest color that does not occur")

# %% [markdown]
# Now a balloon, of one of six hues, each with 1/6. No network gives exactly 1/6 everywhere. Let the probabilities swing
# smoothly by some percent from place to place, and read each pixel in three ways: the likeliest bin of each axis, the likeliest
# pair, and the expectation. The gray picture is flat: nothing in it asks for an edge.
#
# **Predict.** How many colors will be in each picture?

# %%
side = 32
wave = torch.randn(1, 100, 5, 5, generator=torch.Generator().manual_seed(1))
wave = F.interpolate(wave, side, mode="bicubic", align_corners=True)[0].movedim(0, -1)
balloon = ToyWorld(24).palette("balloon")
maps = table(balloon).flatten() * (1 + 0.05 * wave)  # (side, side, 100)
maps = maps.view(side * side, 10, 10)
pairs = [likeliest(joint, ten.centers) for joint in maps]
readouts = {
    "each alone": torch.stack([alone for alone, _ in pairs]),
    "as a pair": torch.stack([pair for _, pair in pairs]),
    "expectation": torch.stack((maps.sum(2) @ ten.centers, maps.sum(1) @ ten.centers), 1),
}

# %%
flat = torch.full((1, 1, side, side), 65.0)
print("              colors   on the palette    jumps between neighbors")
for name, ab in readouts.items():
    distance, _ = decided(ab, balloon)
    square = ab.T.reshape(1, 2, side, side)
    count_of = "many" if name == "expectation" else len(ab.unique(dim=0))
    on = (distance < 14.2).double().mean()  # no center is farther from a color in its bin
    print(f"{name:12}{count_of:>8}{on:17.0%}{jumps(square, flat):27.1%}")

# %% jupyter={"source_hidden": true}
squares = [ab.T.reshape(1, 2, side, side) for ab in readouts.values()]
show(
    pictures(
        [paint(flat, ab)[0] for ab in squares],
        [
            f"{name}\nchroma {ab.norm(dim=1).mean():.0f}"
            for name, ab in zip(readouts, squares, strict=True)
        ],
        3,
        1.9,
    ),
    alt="Three squares. The first two are patchworks of vivid patches with sharp "
    "borders; the third is nearly even gray.",
    caption="One thing of one lightness. The likeliest bins jump from hue to hue; the "
    "expectation stays gray.",
)

# %% [markdown]
# Two faults, from two causes:
# - **Colors that the thing does not have** come from choosing axis by axis. Nearly a third of the pixels got an orange, (30,
#   30), or a blue, (-30, -30), that no balloon has. Choosing a pair, as Zhang et al. do, cures that. (Section 6 of the
#   report proposes it, too.)
# - **Blotches** come from taking the *likeliest* at all, pixel by pixel. The probabilities swing by a few percent and the
#   color by half the plane. Choosing pairs does not cure that; it makes no fewer jumps here. The expectation has none, and
#   no color either.
#
# So blotches need no last layer that is "different for every pixel": here there is no layer at all. Lesson 6 met these jumps as
# seams.
#
# ## 9. On photos
#
# The course has one such painter for photos, `gan`: the U-Net of section 4, four times as wide as in our games, a patch of 34
# pixels, $\lambda = 100$. It was trained for 37 minutes on two cores. `l2` is the regression of lesson 3 for photos. It is
# another network, so not all of the difference is due to the judge.
#
# **Predict.** Which has the higher raw AuC? Which has more chroma, and which is as vivid as the truth?

# %%
measured = read_results("networks")
head = f"{measured['gan']['photos']} validation photos"
print(f"{head:22}{'raw AuC':>9}{'rebalanced':>12}{'PSNR (dB)':>11}{'chroma':>9}")
for name, owner in (("gray", "gan"), ("l2", "l2"), ("gan", "gan")):
    numbers = measured[owner]["rows"][name]["numbers"]
    print(
        f"{name:22}{numbers['raw_auc']:8.1f}%{numbers['rebalanced_auc']:11.1f}%", end=""
    )
    print(f"{numbers['psnr']:11.2f}{numbers['chroma']:9.1f}")
true_chroma = measured["gan"]["rows"]["truth"]["numbers"]["chroma"]
print(f"mean chroma of the true photos: {true_chroma:.1f}")

# %%
photos = torch.stack([images.square(images.bundled(n), 128) for n in images.BUNDLED])
photo_L = rgb_to_lab(photos)[:, :1]
colored = {"true": photos}
for name in ("l2", "gan"):
    colored[name] = paint(photo_L, predict(Colorizer.load(name), photos, (1.0,))[1.0])

# %% jupyter={"source_hidden": true}
fig, axes = panels(3, 1, (6.0, 1.35))
for ax, (name, batch) in zip(axes, colored.items(), strict=True):
    picture(ax, torch.cat(list(F.pad(batch, (6, 6, 0, 0), value=1.0)), dim=2))
    for k, chroma in enumerate(mean_chroma(rgb_to_lab(batch)[:, 1:]).tolist()):
        ax.text(140 * k + 70, -6, f"{chroma:.0f}", ha="center")
    name_row(ax, name)
show(
    fig,
    alt="Five photos in three rows. Those of l2 are pale and brownish. In those of gan "
    "clouds of several hues lie over the astronaut and the night sky, the cat is "
    "greenish, cup and motorcycle are bluish.",
    caption="The five photos of this course in true colors, by `l2` and by `gan`. The "
    "numbers are the mean chroma.",
)

# %%
network = Colorizer.load("gan").network
small_L = F.interpolate(photo_L, 64, mode="area")  # what it looks at
spread = network.samples(small_L, 8).std(dim=0).norm(dim=1).mean()
print(f"spread over 8 draws of dropout: {spread:.1f} ab units")

# %% [markdown]
# Distances prefer `l2`, by 2.5 points of raw AuC and 1.6 dB. By raw AuC `gan` is below gray. It has more chroma than `l2`, but
# far less than the truth: with $\lambda = 100$ and 37 minutes it has learned only a little of what the game promises. It is the
# more vivid one in three of our five photos, and its colors lie in clouds that do not follow the things. Closeness is not
# quality (lesson 8), but neither is chroma. Whether people would take either for real, we have not asked.
#
# Dropout moves the colors of a photo by 4.7 ab units, more than with the discs, and still far from red here and green there.
#
# ## 10. The report as one experiment
#
# Agrawal and Sawhney compare losses, numbers of bins, dropout, kernels and ways to update the weights. Here are small versions
# of their networks: nine convolutions of 16 channels on thumbnails of CIFAR-10, 300 steps of 32. Theirs were shown 200 times as
# many pictures. One seed each, so a few units of difference mean nothing. `baseline` has three layers and 2,000 pictures. Their
# first measure is the **Frobenius distance**: the root of the sum of all squared differences in a picture (lesson 8). Rows with
# `mode` take the likeliest bins, rows with `mean` the expectation.
#
# **Predict.** Their order by distance, nearest first, is cross-entropy, smooth L1, L2, L2 with dropout. Will it be ours?

# %%
report = read_results("agrawal")
print(f"{report['command']}; {report['photos']} pictures not trained on")
lines = {"the truth": (report["truth"], 10), "gray": (report["gray"], 10)}
for name, row in report["rows"].items():
    for readout, numbers in row.get("numbers", {}).items():
        words = name if readout == "ab" else f"{name}, {readout}"
        if readout != "bins":
            lines[words] = numbers, row["plan"]["bins"]
print(f"{'':22}Frobenius   chroma    right bins    jumps")
for words, (numbers, bins) in lines.items():
    print(f"{words:22}{numbers['frobenius']:9.0f}{numbers['chroma']:9.1f}", end="")
    print(f"{numbers[f'accuracy_{bins}']:8.1%} of {bins}{numbers['jumps']:9.2%}")

# %% [markdown]
# - **The order is not theirs.** Smooth L1, L2, L2 with dropout: yes, by a few units. But their winner, cross-entropy with the
#   likeliest bins, is our last, no nearer than gray. The same network read by its expectation is among the first.
# - **Vivid, yes.** The likeliest bins have more chroma than L2, as they write, and dropout has less.
# - **More bins, fewer hits:** 27, 9 and 6 % with 10, 30 and 50 bins; theirs are 41.5, 27.8 and 18.9. Gray alone has 24, 8 and
#   4: the targets are smaller (lesson 8).
# - **Narrow bins where colors are frequent**, which the report proposes (section 6) and does not try. Ours (`adapted`) hold
#   equally many pixels each: chroma 21, more than the truth; the largest distances; with 10 bins the most blotches. Where all
#   bins are equally full, gray is no longer the likeliest. It is rebalancing by another name.
# - **Blotches**: only where the likeliest is taken. A fully connected last layer (`l2_dense`), different for every pixel,
#   brings none.
# - **Kernel** 5 (`ce10`) is ahead of 3 and 7 here, too, by little. **Subtracting the mean** of a picture (`ce10_centered`) does
#   no visible harm.
#
# And the training itself:

# %%
for name in ("ce10", "ce10_nesterov", "ce10_nadam"):
    row = report["rows"][name]
    print(f"{name:14} rate {row['plan']['rate']:g}", end=": ")
    print(f"loss {row['loss'][-1]:.2f} nats at the end")
search = report["rows"]["search"]
print(f"random search, {len(search['runs'])} runs", end=" ")
print(f"of {search['steps']} steps; the best three:")
for run in search["runs"][:3]:
    print(
        f"   rate {run['rate']}, batch {run['batch_size']}, kernel {run['kernel']}",
        end="",
    )
    print(f": loss {run['loss']:.2f}")

# %% [markdown]
# They found Adam a little faster than Nesterov's momentum, and used a rate of 0.001. Here Nesterov is ahead, at a rate ten
# times Adam's, and the search, in 40 steps on 100 pictures, prefers rates from 0.02 to 0.1. A search of short runs finds what
# is good for short runs.
#
# ## What the papers say, what we measured
#
# | | papers | exact | this lesson |
# |---|---|---|---|
# | L1 between two colors | the median: average, grayish colors (Isola et al., section 4.2) | level from green to red | a cloud between them, 0 % near a color |
# | with a discriminator | on street scenes, colors distributed more like true ones (the same) | the palette; loss of the best judge ln 2 = 0.69 | discs: 88 to 98 % near a color, judge's loss 0.46; toy world: 58 % of the apples |
# | weight of L1 | 100 (the same) | none needed where L1 is level | 100; without it the ground is colored, too |
# | noise by dropout | "only minor stochasticity" (the same, section 3.1) | half red, half green at each draw | 9 of 60 discs change their color over 8 draws |
# | patch and map | 70 pixels (the same, section 4.4); 30 x 30 (Agrawal & Sawhney, appendix 1) | 34 pixels, 14 x 14 at 64; 70 pixels, 30 x 30 at 256 | the same |
# | the GAN on photos | "unable to learn well so far" (Agrawal & Sawhney, appendix 1) | | raw AuC 87.0 (L2 89.5), chroma 12.0 (L2 10.0, truth 17.5), 97 photos |
# | Frobenius distance: cross-entropy, smooth L1, L2, with dropout | 11.27, 13.45, 15.65, 18.67, unit not named (the same, Table 1) | | 523, 484, 490, 498 ab units, 32 x 32 pixels; gray 522 |
# | hits with 10, 30, 50 bins | 41.5, 27.8, 18.9 % (the same, Table 2) | | 27.4, 9.0, 5.7 %; gray 23.9, 8.4, 4.2 % |
# | blotches | the output "is different for every pixel" (the same, section 5.5) | a flat balloon, read by the likeliest: jumps between 13 to 15 % of neighbors, by the expectation 0 % | likeliest bins up to 4.4 %, expectation, L2 and `l2_dense` 0.0 % of neighbors |
# | taken for real | GAN 22.5 %, Zhang et al. 27.8 %, L2 not clearly different from the GAN (Isola et al., section 4.5); "easily able to distinguish", six students (Agrawal & Sawhney, section 5.2) | 50 % if nobody can tell | not run |
#
# **Take away**
# 1. L1 has no opinion between two colors that are equally likely, and L2 wants their mean. A discriminator knows better: it has
#    looked at whole sets of colors.
# 2. In a game no loss has to fall. Read the hits of the judge, the chroma, and something outside the game.
# 3. A painter without dice gives one plausible answer. It is not the distribution, and it is often wrong.
#
# ## Questions
#
# <details><summary>The judge's loss is 0.69, and the pictures are bad. How can that be?</summary>0.69 says that <em>this</em>
# judge cannot tell. It may be too small, too slow, or at the beginning of its training. Only against the best judge does ln 2
# mean that the made-up colors are distributed like true ones.</details>
# <details><summary>Why does the judge see L as well, and not only the colors?</summary>A green apple is true, a green sky is
# not. Without L the painter could please the judge with plausible colors in the wrong places. With it the judge learns which
# colors go with which gray picture: the game is <em>conditional</em>.</details>
# <details><summary>Would a larger weight on L1 make the discs brown again?</summary>In the exact game, no: between the colors
# L1 has no slope, whatever its weight. In a short training, yes. Try <code>weight=1000</code> in <code>play</code>: with our
# seed 13 % of the discs come near a color, against 88 % with 100 and 100 % with 10. A small batch has more reds or more greens
# by chance. That pull grows with the weight; the judge's pull does not.</details>
# <details><summary>A classifier with 313 bins for (a, b) pairs, as in lesson 4: can it have the fault of exercise
# 11.5?</summary>No. It chooses a pair. It can still have seams, where two pairs are nearly equally likely (lesson 6, section
# 3).</details>

# %%
check.scorecard()
