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
# # Lesson 2 · Quantization: why 313 colors
#
# **Why 313 colors, and what does it cost to have no others?**
#
# In Lab, the color of a pixel is two numbers, a and b. A network could predict these two. Zhang, Isola and Efros (2016) let
# it choose from a list of 313 colors instead, as one chooses a word. This lesson builds the list, and two ways to look a
# color up in it.
#
# After this lesson you can
# - cut the ab plane into bins, and say which bins hold colors that exist;
# - find the nearest bin of a color, and its *soft code* over five bins;
# - go back from a code to one color, with a temperature;
# - say what all this costs on real photos, in ab units and in decibels.
#
# | to read and solve | to run | needs |
# |---|---|---|
# | 75 minutes, 6 exercises | under 1 minute | CPU only, no download |
#
# You should know what L, a and b are (lesson 1). How exercises work: replace the line `raise NotImplementedError` by your
# answer and run the cell. A badge tells you where you stand. Whatever it says, you can go on: the cells below then use the
# course's own function. Cells that only draw are folded; a click on the three dots opens them.

# %%
import time

import ipywidgets
import torch
from scipy.spatial import ConvexHull

from colorize import bins, decode, images
from colorize.check import check
from colorize.figures import ab_plane, panels, picture, pictures, show
from colorize.lab import lab_to_rgb, lab_to_xyz, rgb_to_lab, xyz_to_linear
from colorize.metrics import mean_chroma, psnr
from colorize.widgets import slider_demo

# %% [markdown]
# ## 1. Where the colors of photos lie
#
# The five photos of lesson 1, 256 x 256 pixels each. Above each stands its mean chroma: how far its pixels are from gray, on
# average, in units of a and b (ab units).

# %%
photos = torch.stack(
    [images.square(images.bundled(name), 256) for name in images.BUNDLED]
)
lab = rgb_to_lab(photos)  # (5, 3, 256, 256)
L, ab = lab[:, :1], lab[:, 1:]

titles = [
    f"{name}\nmean chroma {chroma:.1f}"
    for name, chroma in zip(images.BUNDLED, mean_chroma(ab), strict=True)
]
show(
    pictures(photos, titles),
    alt="Five photos: an astronaut, a cat, a cup of coffee, a rocket at night, a "
    "motorcycle.",
    caption="The coffee is the most colorful of the five, the motorcycle in its gray "
    "garage the least.",
)

# %% [markdown]
# **Predict.** Cut the ab plane into squares of side 10. How many squares do you need to hold every color of the coffee
# photo: about 30, about 300, or about 3,000?

# %% jupyter={"source_hidden": true}
fig, axes = panels(1, 2, (4.6, 3.7))
for ax, i in zip(axes, (2, 0), strict=True):
    ab_plane(ax, titles[i].split("\n")[0], lightness=None)
    a, b = ab[i].flatten(1).numpy()
    side = [[-115, 115]] * 2
    *_, squares = ax.hist2d(a, b, bins=23, range=side, norm="log", cmap="viridis")
    fig.colorbar(squares, ax=ax, label="pixels (logarithmic)", shrink=0.8)
    ax.set_xticks(range(-100, 101, 50))
    ax.set_yticks(range(-100, 101, 50))
show(
    fig,
    alt="Two plots of the ab plane. The colors of a photo fill a small part of the "
    "outline of all sRGB colors.",
    caption="Colors of two photos in the ab plane, in squares of side 10; white squares "
    "hold no pixel. The line encloses all colors that sRGB can show: its gamut. A photo "
    "uses a small part of it.",
)

# %% [markdown]
# ## 2. Round to a grid
#
# The simplest list of colors: all points whose a and b are multiples of 10. To look a color up, move it to the nearest
# such point.
#
# ### Exercise 2.1 · Round to a grid
# ●○○○○ · 5 minutes
#
# Move each color to the nearest multiple of `spacing`. `ab` may have any shape; the result has the same. It is one line.
#
# <details><summary>Hint 1</summary>Count in units of the spacing: in those units, the grid is the whole numbers.</details>
# <details><summary>Hint 2</summary>Divide by the spacing, <code>torch.round</code>, multiply by the spacing.</details>


# %%
@check("2.1")
def round_to_grid(ab, spacing):
    """Move each color to the nearest multiple of spacing; the shape stays."""
    # BEGIN SOLUTION
    return torch.round(ab / spacing) * spacing
    # END SOLUTION


# %% [markdown]
# How many points does each photo need, and what does the rounding do to it? L is left as it is.


# %%
def repaint(L, ab):
    """Put colors on lightness: (N, 1, H, W), (N, 2, H, W) -> pictures (N, 3, H, W)."""
    return lab_to_rgb(torch.cat((L, ab), dim=1))


def distinct(ab):
    """Number of different colors in one (2, H, W)."""
    return len(torch.unique(ab.flatten(1), dim=1).T)


for name, photo in zip(images.BUNDLED, ab, strict=True):
    print(f"{name:18} {distinct(round_to_grid(photo, 10.0)):4} colors")

# %%
coffee = ab[2:3]
rounded = {spacing: round_to_grid(coffee, spacing) for spacing in (10.0, 25.0, 50.0)}
strip = [repaint(L[2:3], color)[0] for color in (coffee, *rounded.values())]
names = [
    "original",
    *(f"spacing {s:g}: {distinct(color[0])} colors" for s, color in rounded.items()),
]
show(
    pictures(strip, names, columns=4, inches=2.6),
    alt="The coffee photo with its colors rounded to grids of spacing 10, 25 and 50. At "
    "50, patches of flat color show.",
    caption="At spacing 10 it takes a close look to see a difference. At 25 the saucer "
    "gets edges, at 50 colors fall into flat patches.",
)

# %% [markdown]
# The coffee needs 43 squares: nearer to 30 than to 300. Few enough to choose from.
#
# A small slip: `torch.floor` instead of `torch.round`. The result is a grid point, too, the pictures look almost right, and
# published evaluation code contains just this. How often does it pick the same point, and at what cost? With colors spread
# evenly it would be one pixel in four: a and b must both lie in the lower half of their step.

# %%
floored = torch.floor(ab / 10) * 10
same = (floored == round_to_grid(ab, 10.0)).all(dim=1).float().mean()
print(f"rounding down and rounding agree on {same:.1%} of the pixels")
for name, color in (("rounded", round_to_grid(ab, 10.0)), ("rounded down", floored)):
    error, quality = (
        (color - ab).norm(dim=1).mean(),
        psnr(repaint(L, color), photos).mean(),
    )
    print(f"{name:13} error {error:.2f} ab units, PSNR {quality:.1f} dB")

# %% [markdown]
# It is more than one pixel in four, since colors near gray often lie just above zero. Even so, the error nearly doubles.
#
# ## 3. Which grid points are colors?
#
# The grid from -110 to 110 has 23 x 23 = 529 points. Not all exist as colors: no screen can show (a, b) = (-100, -100). The
# paper keeps the points that are "in gamut", those that a screen can show, and counts 313, without saying how. So first: when
# can a screen show a Lab color at all?
#
# ### Exercise 2.2 · Can a screen show it?
# ●●○○○ · 10 minutes
#
# A color can be shown if its red, green and blue *light* each lie between 0 and 1. `lab_to_xyz` and `xyz_to_linear`
# lead from Lab to light without clipping.
#
# <details><summary>Hint 1</summary>Compute the three amounts of light, then ask two questions about each.</details>
# <details><summary>Hint 2</summary><code>(light >= 0) & (light <= 1)</code> has shape (..., 3, H, W);
# <code>.all(dim=-3)</code> asks it of all three channels.</details>


# %%
@check("2.2")
def displayable(lab):
    """True where sRGB can show the color: (..., 3, H, W) -> (..., H, W) bool."""
    # BEGIN SOLUTION
    light = xyz_to_linear(lab_to_xyz(lab))
    return ((light >= 0) & (light <= 1)).all(dim=-3)
    # END SOLUTION


# %% [markdown]
# **Predict.** Four rules sound right. Which of them gives 313?
#
# 1. The point can be shown at L = 50, halfway between black and white.
# 2. The point can be shown at some L = 0, 1, ..., 100.
# 3. The point lies inside the convex hull (the shape of a rubber band around them) of all colors that sRGB can show.
# 4. The point is the nearest grid point of at least one of the 16.7 million 8-bit colors.

# %%
grid = bins.grid_points()  # (529, 2)


def shown_at(lightness):
    """Which grid points can be shown at one L: -> (529,) bool."""
    lab = torch.cat((torch.full((529, 1), float(lightness)), grid), dim=1)  # (529, 3)
    return displayable(lab.T.unsqueeze(-1))[:, 0]


rule_1 = shown_at(50)
rule_2 = torch.stack([shown_at(lightness) for lightness in range(101)]).any(dim=0)
print(int(rule_1.sum()), int(rule_2.sum()))

# %% [markdown]
# Rule 3 needs the hull. The colors on the twelve edges of the RGB cube, 256 to an edge, give the same bins as all 16.7
# million; a test of the library checks it.


# %%
def inside_hull(points, cloud):
    """True for points (P, 2) strictly inside the convex hull of the cloud (M, 2)."""
    # Each edge of the hull is a line n_a a + n_b b + offset = 0, negative inside.
    lines = torch.from_numpy(ConvexHull(cloud.double().numpy()).equations)
    return (lines[:, :2] @ points.double().T + lines[:, 2:] < 0).all(dim=0)


srgb = bins.srgb_hull().float()  # (3072, 2)
rule_3 = inside_hull(grid, srgb)
print(int(rule_3.sum()))

# %% [markdown]
# For rule 4, take 8-bit colors, round each to the grid, and collect the points that are hit. The six faces of the RGB
# cube are enough: all 16.7 million colors hit the same points.

# %%
levels = torch.arange(256, dtype=torch.uint8)
u, v = torch.meshgrid(levels, levels, indexing="ij")
faces = []
for end in (torch.zeros_like(u), torch.full_like(u, 255)):
    faces += [torch.stack(face) for face in ((end, u, v), (u, end, v), (u, v, end))]
face_ab = rgb_to_lab(torch.stack(faces))[:, 1:]  # (6, 2, 256, 256)
rounded_ab = round_to_grid(face_ab, 10.0).movedim(1, -1).reshape(-1, 2)
hit = torch.unique(rounded_ab, dim=0)  # (H, 2)
rule_4 = (grid[:, None] == hit).all(dim=2).any(dim=1)
print(int(rule_4.sum()))

# %% jupyter={"source_hidden": true}
rules = {
    "1: shown at L = 50": rule_1,
    "2: shown at some L": rule_2,
    "3: inside the hull": rule_3,
    "4: hit by a color": rule_4,
}
fig, axes = panels(1, 4, (2.9, 3.0))
for ax, (name, kept) in zip(axes, rules.items(), strict=True):
    ab_plane(ax, f"{name}\n{int(kept.sum())} points", lightness=None)
    ax.plot(*grid[~kept].T, ".", color="0.75", markersize=2)
    ax.plot(*grid[kept].T, "s", color="tab:blue", markersize=4)
show(
    fig,
    alt="The grid in the ab plane, four times. Kept points: 137, 225, 233 and 261.",
    caption="Squares are kept, dots are not. Each rule is plausible, and none gives 313.",
)

# %% [markdown]
# Rule 4 comes closest and looks natural: why would a network need a bin that no color falls into? But the authors kept more.
#
# This rule gives their list exactly: take the hull of rule 3, **widen it by 10, one grid step, in a and in b**, and keep the
# points strictly inside. In other words: a point stays if the hull reaches into at least one of the four grid squares that
# meet at the point.
#
# ### Exercise 2.3 · The rule that gives 313
# ●●●○○ · 10 minutes
#
# To widen a hull by a square, move the whole cloud of colors to the square's four corners and take the hull of the
# four copies together. `inside_hull` above does the rest.
#
# <details><summary>Hint 1</summary>The four corners are (-reach, -reach), (-reach, reach), (reach, -reach) and
# (reach, reach).</details>
# <details><summary>Hint 2</summary>With <code>shifts</code> of shape (4, 2), <code>colors[:, None] + shifts</code> has
# shape (M, 4, 2). Reshape it to (4 M, 2).</details>


# %%
@check("2.3")
def keep_bins(grid, colors, reach=10.0):
    """Grid points in the widened hull: grid (P, 2), colors (M, 2) -> (P,) bool."""
    # BEGIN SOLUTION
    shifts = torch.tensor([[-1, -1], [-1, 1], [1, -1], [1, 1]]) * reach
    copies = (colors[:, None] + shifts).reshape(-1, 2)
    return inside_hull(grid, copies)
    # END SOLUTION


# %%
kept = keep_bins(grid, srgb)
centers = grid[kept]
same = torch.equal(centers, bins.gamut_bins())
print(len(centers), "bins; the same list as the library's:", same)

# %% [markdown]
# (The library uses the same rule; its tests compare the result with the rows that the authors published.)

# %% jupyter={"source_hidden": true}
fig, axes = panels(1, 2, (4.4, 4.2))
ab_plane(axes[0], f"{len(centers)} bins", lightness=None)
axes[0].plot(*grid[~kept].T, ".", color="0.7", markersize=3)
axes[0].plot(*centers.T, "s", color="0.2", markersize=4, label="hit by a color")
empty = grid[kept & ~rule_4]
axes[0].plot(
    *empty.T,
    "s",
    color="white",
    markeredgecolor="black",
    markersize=5,
    label=f"never hit: {len(empty)}",
)
axes[0].legend(loc="lower left", fontsize=8)
reaches = [0, 5, 9, 9.5, 10, 10.5, 11, 15]
axes[1].plot(
    reaches, [int(keep_bins(grid, srgb, r).sum()) for r in reaches], "o-", color="0.2"
)
axes[1].axhline(313, linestyle=":", color="0.4")
axes[1].annotate("313", (0, 315))
axes[1].set(
    xlabel="reach, ab units", ylabel="points kept", title="points kept against reach"
)
show(
    fig,
    alt="Left: 313 bins, 52 of them at the rim marked as never hit. Right: the number "
    "of bins grows with the reach and crosses 313 at 10.",
    caption="Left: the 313 bins. The white ones at the rim are never the nearest bin of "
    "any 8-bit color. Right: a reach of 10 gives 313, and so does any reach from about "
    "9.8 to 10.05. Clearly smaller or larger ones do not.",
)

# %% [markdown]
# So 313 is a choice, not a law of nature. The 52 bins that are never the nearest one still get a share in soft codes (section
# 5). A bin that never occurs needs care once we divide by how often each bin occurs (lesson 5).
#
# ## 4. The nearest bin
#
# To use the bins as classes, a network needs a number for each bin: its row in `centers`.
#
# ### Exercise 2.4 · The nearest bin
# ●●○○○ · 10 minutes
#
# Return, for each color $(a, b)$, the number $q$ of the nearest center $(a_q, b_q)$: the one with the smallest distance
# $\sqrt{(a - a_q)^2 + (b - b_q)^2}$. Write the clear version; speed comes later.
#
# <details><summary>Hint 1</summary><code>ab[:, None] - centers</code> holds all differences at once: (M, Q, 2).</details>
# <details><summary>Hint 2</summary>Square, sum over the last dimension, then <code>argmin</code> over the bins. Or look up
# <code>torch.cdist</code>.</details>


# %%
@check("2.4")
def nearest_bin(ab, centers):
    """Number of the nearest center: ab (M, 2), centers (Q, 2) -> (M,) int64."""
    # BEGIN SOLUTION
    difference = ab[:, None] - centers  # (M, Q, 2)
    return difference.square().sum(dim=2).argmin(dim=1)
    # END SOLUTION


# %% [markdown]
# That measures 313 distances for each pixel. But our centers lie on a grid. **Question.** How can one find the nearest
# without measuring anything?
#
# <details><summary>Answer</summary>Round, as in exercise 2.1. If the rounded point is a bin, it is the nearest one, and
# a table of 529 entries tells its number. Every color that a screen can show rounds to one of the 313. Only colors
# outside the gamut, which a network may well predict, still have to be measured.</details>

# %% tags=["no-compare"]
# Every fourth pixel of the astronaut: (16384, 2)
pixels = ab[0].flatten(1).T[::4].contiguous()
bins.nearest_bin(ab[:1])  # builds its table, once
start = time.perf_counter()
slow = nearest_bin(pixels, centers)
middle = time.perf_counter()
fast = bins.nearest_bin(pixels.T.reshape(1, 2, 128, 128)).flatten()
end = time.perf_counter()
print(
    f"measuring {1e3 * (middle - start):.1f} ms, rounding {1e3 * (end - middle):.1f} ms"
)
print("equal:", torch.equal(slow, fast))

# %% [markdown]
# ## 5. Soft encoding
#
# The nearest bin throws away where in its square a color lies. And two colors that are only one unit apart, on two sides of a
# border, get different bins. The paper spreads each color over its 5 nearest bins instead: with $d_k$ the distance to the
# $k$-th of them, and $w_k$ its weight,
#
# $$ w_k = \frac{e^{-d_k^2 / 2\sigma^2}}{\sum_{j=1}^{5} e^{-d_j^2 / 2\sigma^2}}, \qquad \sigma = 5 \text{ ab units.} $$
#
# ### Exercise 2.5 · Soft encoding
# ●●●○○ · 15 minutes
#
# Return the numbers of the nearest bins and their weights, in any order.
#
# <details><summary>Hint 1</summary><code>torch.cdist(ab, centers)</code> gives all distances (M, Q). <code>topk</code> finds
# the smallest if you ask it to.</details>
# <details><summary>Hint 2</summary><code>distance, index = ....topk(neighbors, dim=1, largest=False)</code>, then the
# exponential, then divide by the sum over dim 1 with <code>keepdim=True</code>.</details>


# %%
@check("2.5")
def soft_encode(ab, centers, neighbors=5, sigma=5.0):
    """Spread colors over bins: ab (M, 2), centers (Q, 2) -> index, weight (M, K).

    index is int64, and each row of weight sums to 1.
    """
    # BEGIN SOLUTION
    distance, index = torch.cdist(ab, centers).topk(neighbors, dim=1, largest=False)
    weight = torch.exp(-(distance**2) / (2 * sigma**2))
    return index, weight / weight.sum(dim=1, keepdim=True)
    # END SOLUTION


# %%
# A color on a center, one between four centers, and one anywhere.
examples = torch.tensor([[30.0, 40.0], [-35.0, 5.0], [13.0, -42.0]])
index, weight = soft_encode(examples, centers)
print(weight)

# %% jupyter={"source_hidden": true}
fig, axes = panels(1, 3, (3.0, 3.1))
for ax, (x, y), i, w in zip(axes, examples.tolist(), index, weight, strict=True):
    ax.plot(*centers.T, "+", color="0.6")
    ax.scatter(*centers[i].T, s=900 * w, color="tab:blue", alpha=0.6)
    ax.plot(x, y, "x", color="black", markersize=9)
    for (a, b), share in zip(centers[i].tolist(), w.tolist(), strict=True):
        ax.text(a, b + 4, f"{share:.2g}", ha="center", fontsize=8)
    ax.set(xlim=(x - 20, x + 20), ylim=(y - 20, y + 24), aspect="equal")
    ax.set(xlabel="a", ylabel="b", title=f"({x:g}, {y:g})")
show(
    fig,
    alt="Three colors (crosses) among bin centers (plus signs), with circles sized by "
    "the weights of their five bins.",
    caption="Crosses: colors. Circles: the weights of their five bins. A color on a "
    "center still gives away a third of its weight; one between four centers gives each "
    "about a quarter, and half a percent to the fifth bin.",
)

# %% [markdown]
# ## 6. Never write down the zeros
#
# A soft code has 5 numbers that are not zero, out of 313. The paper trains on 40 pictures at a time, with 44 x 44 codes each.
#
# **Predict.** How many megabytes does such a batch take with all zeros written down? (The network itself takes 129.)

# %%
batch, height, width = 40, 44, 44
dense = batch * 313 * height * width * 4  # a float32 takes 4 bytes
sparse = (
    batch * 5 * height * width * (8 + 4)
)  # an int64 and a float32 for each of 5 neighbors
print(f"all zeros written down: {dense / 1e6:.1f} MB")
print(f"index and weight:       {sparse / 1e6:.1f} MB")

# %% [markdown]
# That is why `colorize.bins.soft_encode` returns (index, weight), and why no training of this course writes soft codes out in
# full. Here it encodes all five photos. Look at the entropy of the codes, $-\sum_k w_k \ln w_k$ (in nats, the unit of the
# natural logarithm): no network that learns from soft codes can get its mean loss below it (lesson 4).

# %%
photo_index, photo_weight = bins.soft_encode(ab)  # (5, 5, 256, 256) each
entropy = -(photo_weight * photo_weight.log()).sum(dim=1).mean()
print(f"{photo_index[:, 0].numel()} pixels, mean entropy {entropy:.2f} nats")

# %% [markdown]
# ## 7. Back to one color
#
# A picture needs one color for each pixel. Two ways back: the nearest bin's color, or the mean of the five colors with
# their weights. Between the two lies a family, which the paper calls the **annealed mean**: sharpen the weights with a
# temperature $T$, then take the mean.
#
# $$ ab = \sum_k c_k\, \frac{w_k^{1/T}}{\sum_j w_j^{1/T}} $$
#
# $w_k$ and $c_k$ are weight and center of the $k$-th neighbor. $T = 1$ gives the plain mean, and $T \to 0$ the largest
# weight's color alone.
#
# ### Exercise 2.6 · Back to one color
# ●●○○○ · 10 minutes
#
# Apply the formula to each of the M colors. `index` holds row numbers in `centers`.
#
# <details><summary>Hint 1</summary>Raise the weights to 1/T and make them sum to 1 again. <code>centers[index]</code> has
# shape (M, K, 2).</details>
# <details><summary>Hint 2</summary>Give the weights a last dimension of 1, multiply, and sum over the K neighbors:
# <code>dim=1</code>.</details>


# %%
@check("2.6")
def decode_code(index, weight, centers, T=1.0):
    """Annealed mean: index (M, K), weight (M, K), centers (Q, 2) -> (M, 2)."""
    # BEGIN SOLUTION
    sharp = weight ** (1 / T)
    sharp = sharp / sharp.sum(dim=1, keepdim=True)  # (M, K)
    return (sharp.unsqueeze(-1) * centers[index]).sum(dim=1)
    # END SOLUTION


# %% [markdown]
# What does each way cost? The error is the distance to the true color, in ab units.


# %%
def as_photos(colors):
    """(5 * 256 * 256, 2) -> (5, 2, 256, 256)."""
    return colors.view(5, 256, 256, 2).movedim(-1, 1)


codes = [code.movedim(1, -1).reshape(-1, 5) for code in (photo_index, photo_weight)]
ways = {
    "nearest bin": centers[bins.nearest_bin(ab)].movedim(-1, 1),
    "annealed, T = 0.38": as_photos(decode_code(*codes, centers, T=0.38)),
    "soft mean, T = 1": as_photos(decode_code(*codes, centers, T=1.0)),
    "no color at all": torch.zeros_like(ab),
}
print(f"{'':20}mean error   largest   PSNR")
for name, color in ways.items():
    error = (color - ab).norm(dim=1)
    quality = psnr(repaint(L, color), photos).mean()
    print(f"{name:20}{error.mean():8.2f} {error.max():10.2f} {quality:8.1f} dB")

# %% jupyter={"source_hidden": true}
rows, columns = slice(100, 164), slice(60, 124)
fig, axes = panels(1, 4, (2.4, 2.7))
for ax, (name, color) in zip(axes, [("original", ab), *ways.items()], strict=False):
    off = (color - ab)[2, :, rows, columns].norm(dim=0).mean()
    picture(ax, repaint(L, color)[2, :, rows, columns], f"{name}\nerror {off:.2f}")
show(
    fig,
    alt="A detail of the coffee photo, 64 pixels wide, decoded in three ways. Only the "
    "nearest bin shows steps of color.",
    caption="A detail of the coffee. The nearest bin makes steps; the mean of the soft "
    "code is close to the original.",
)

# %% [markdown]
# The grid costs about 4 ab units with the nearest bin, and 0.2 with the soft code: five weights carry almost all of the two
# numbers. Sharpening at T = 0.38 throws some of that away again. For a *perfect* code, T = 1 is best. Why sharpen, then?
# Because a network is unsure, and the mean of many colors is dull: lesson 6.
#
# ### A trap: logits or probabilities?
#
# The library's `decode.mean` and `decode.annealed_mean` take logits, as a network gives them: numbers of any size, before the
# softmax. Give them the probabilities of a soft code, and the softmax is taken of numbers between 0 and 1. What comes out?

# %%
code = torch.zeros(1, 313, 1, 1)
row, column = 160, 60  # a pixel of the suit
code[0, photo_index[0, :, row, column], 0, 0] = photo_weight[0, :, row, column]
right, wrong = decode.mean(code.log()).flatten(), decode.mean(code).flatten()
print("true color           ", [round(x, 1) for x in ab[0, :, row, column].tolist()])
print("from log-probability ", [round(x, 1) for x in right.tolist()])
print("from probability     ", [round(x, 1) for x in wrong.tolist()])

# %% [markdown]
# The last line is nearly the mean of all 313 centers, (15.7, 6.7), and it would be for any other color, too. The logarithm of
# the weights is a valid set of logits, minus infinity included.
#
# ## 8. A slider for the grid
#
# **Predict.** You make the squares larger and larger. What breaks first: the face of the astronaut, the stripes of the flag,
# or the orange of the suit? And at which spacing?


# %%
def quantized(spacing):
    """The astronaut with its colors on a grid: -> picture (3, 256, 256), numbers."""
    color = round_to_grid(ab[:1], float(spacing))
    image = repaint(L[:1], color)
    error, quality = (color - ab[:1]).norm(dim=1).mean(), psnr(image, photos[:1]).item()
    words = f"spacing {spacing}: {distinct(color[0])} colors"
    return image[0], f"{words}, error {error:.1f} ab units, PSNR {quality:.1f} dB"


slider = ipywidgets.IntSlider(
    10, min=2, max=80, step=2, description="spacing", continuous_update=True
)
slider_demo(
    quantized, slider, name="spacing", alt="The astronaut, colors rounded to a grid"
)

# %% [markdown]
# The same without a kernel, for readers of the page:

# %%
spacings = (10, 20, 40, 60, 80)
steps = [quantized(spacing) for spacing in spacings]
show(
    pictures([image for image, _ in steps], [words.split(",")[0] for _, words in steps]),
    alt="The astronaut with colors rounded to grids of spacing 10, 20, 40, 60 and 80; "
    "the face turns gray, at 80 the suit turns red and gray.",
    caption="The face loses its color long before the suit does.",
)

# %% [markdown]
# <details><summary>What to see</summary>Colors near gray break first. At 10 only the wall gives the grid away, with faint
# blotches; at 20 the face gets spots, at 40 it is half gray and half yellow, and at 60 it has no color left: most of the skin
# is 13 to 27 units from gray, and whatever is nearer than half a step rounds to gray. The suit is about 60 units from gray.
# It stays one flat orange, brighter or duller as the grid happens to lie, until at 80 it is torn between red and gray. The
# stripes of the flag keep a color even at 80, but turn from red to magenta.</details>
#
# ## 9. The whole grid: 529
#
# The successor of the paper (Zhang et al. 2017, with user hints) drops the gamut test and uses all 529 points. What
# would that change?

# %%
in_use = len(bins.nearest_bin(ab).unique())
whole = torch.unique(round_to_grid(ab, 10.0).movedim(1, -1).reshape(-1, 2), dim=0)
print(f"{in_use} of 313 bins hold a pixel of our photos, {len(whole)} of 529 points do")
print(f"last layer, 256 inputs: {257 * 313:,} numbers for 313, {257 * 529:,} for 529")

# %% [markdown]
# For nearest bins, nothing: no color rounds to a point outside the 313. (Soft codes at the rim would spread beyond them.) The
# last layer grows, with outputs that never win. In exchange nobody has to explain the number 313.
#
# ## What the papers say, what we measured
#
# | | Zhang et al. 2016 | this lesson |
# |---|---|---|
# | number of bins, spacing 10 | 313 | 313, by the hull widened by 10 |
# | neighbors, sigma | 5, 5 (in their training code 10, 5) | 5, 5 |
# | bins that no 8-bit sRGB color is nearest to | not mentioned | 52 |
# | error of the nearest bin | not reported | 3.8 ab units, 34.5 dB |
# | error of the soft mean | not reported | 0.2 ab units, 58 dB |
#
# **Take away**
# 1. A list of 313 colors covers what photos need; rounding to it costs about 4 ab units.
# 2. Soft codes keep what rounding loses, and only five weights with their bins need to be stored.
# 3. "In gamut" can mean many things. If a number matters, derive it.
#
# ## Questions
#
# <details><summary>Rounding costs 3.8 ab units on average. What would you expect for colors spread evenly over a square of
# side 10, and why is it about the same?</summary>The mean distance from the center of a square of side 1 to its points is
# 0.3826, so 3.83. Within a bin the colors of the five photos together are spread fairly evenly.</details>
# <details><summary>Why does the soft mean not give back the color exactly?</summary>Gaussian weights are not made to
# interpolate: the mean of the five centers is close to the color, not equal to it. More neighbors hardly change the mean
# error: even all 313 leave about 0.2. They do lower the largest one.</details>
# <details><summary>Halve the spacing: how many bins, and what happens to each one's share of the pixels?</summary>With a
# reach of 5, 1,083: three and a half times as many, since the rim grows less. Each has a quarter of the area, so fewer pixels
# to learn from, and rare colors become rarer.</details>

# %%
check.scorecard()
