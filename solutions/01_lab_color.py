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
# # Lesson 1 · Lab color: what is given, what is missing
#
# **What does a gray photo still know about the colors, and what has to be invented?**
#
# Most systems of this course, like most of the papers, get one number for each pixel, the lightness L, and predict two,
# a and b. This lesson builds that split from a photo file, step by step.
#
# After this lesson you can
# - go from the numbers in a photo file to light, to XYZ, to Lab, and check each step against scikit-image;
# - say why Lab and not RGB or HSV, with numbers;
# - put the colors of one photo on the light of another, a baseline of the papers;
# - tell gray photos from color photos, and avoid four traps, two of which are found in published code.
#
# | to read and solve | to run | needs |
# |---|---|---|
# | 70 minutes, 5 exercises | under 1 minute | CPU only, no download |
#
# You should know Python and have seen PyTorch tensors. How exercises work: replace the line `raise NotImplementedError` by
# your answer and run the cell. A badge tells you where you stand. Whatever it says, you can go on: the cells below then use
# the course's own function. Cells that only draw are folded; a click on the three dots opens them.

# %%
import colorsys

import torch
import torch.nn.functional as F
from skimage import color, data

from colorize import images
from colorize.check import check
from colorize.figures import panels, picture, pictures, show
from colorize.lab import RGB_TO_XYZ, WHITE, lab_to_rgb, rgb_to_lab
from colorize.metrics import mean_chroma, psnr

# %% [markdown]
# ## 1. The numbers in a photo are not light
#
# Five photos, as tensors: `(5, 3, 256, 256)`, with red, green and blue between 0 and 1. This order (channels before rows and
# columns) holds in the whole course.

# %%
photos = torch.stack(
    [images.square(images.bundled(name), 256) for name in images.BUNDLED]
)
chroma = mean_chroma(rgb_to_lab(photos)[:, 1:])
titles = [
    f"{name}\nchroma {c:.1f}" for name, c in zip(images.BUNDLED, chroma, strict=True)
]
show(
    pictures(photos, titles),
    alt="Five photos: an astronaut, a cat, a cup of coffee, a rocket at night, a "
    "motorcycle.",
    caption="The five photos of this course. Chroma is the distance of a color from gray "
    "(section 3); here its mean over the photo.",
)

# %% [markdown]
# Take a fine checkerboard of black and white. From afar it is gray: half of its pixels send out light, half do not.
#
# **Predict.** Which plain gray is as bright as that? The one with the value 0.5?

# %% jupyter={"source_hidden": true}
board = (torch.arange(160)[:, None] + torch.arange(160)) % 2
patches = [torch.full((160, 160), value) for value in (0.5, 0.735)]
row = torch.cat((patches[0], board.float(), patches[1]), dim=1)[None]
# One pixel of the figure for each pixel of the board: 480 x 160 at 100 dots an inch.
fig, axes = panels(1, 1, (5.2, 2.1))
fig.set_layout_engine("none")
axes[0].set_position([20 / 520, 10 / 210, 480 / 520, 160 / 210])
picture(
    axes[0], row, "0.5                      0 and 1, by turns                      0.735"
)
show(
    fig,
    alt="A gray patch of value 0.5, a fine black and white checkerboard, a lighter gray "
    "patch of value 0.735.",
    caption="Step back, or squint. (Where a program scales the picture it averages "
    "values instead of light, and the board comes out as dark as 0.5: the very mistake "
    "of this section. The numbers below cannot be scaled.)",
)

# %% [markdown]
# It is 0.735. The values in a file follow a curve: half of the light is not half of the value. sRGB, the standard of screens
# and photo files, says how to get from a value $v$ to an amount of light:
#
# $$ \text{light} = \begin{cases} v / 12.92 & \text{if } v \le 0.04045 \\ \left(\dfrac{v + 0.055}{1.055}\right)^{2.4} & \text{otherwise} \end{cases} $$
#
# ### Exercise 1.1 · From the screen to light
# ●○○○○ · 5 minutes
#
# Write the curve. `rgb` may have any shape; both parts must work in the same call.
#
# <details><summary>Hint 1</summary>Compute both parts for all values, then choose, pixel by pixel.</details>
# <details><summary>Hint 2</summary><code>torch.where(condition, where_true, where_false)</code>.</details>


# %%
@check("1.1")
def srgb_to_linear(rgb):
    """Values of a photo, 0 to 1 -> amounts of light, 0 to 1; the shape stays."""
    # BEGIN SOLUTION
    straight = rgb / 12.92
    curved = ((rgb + 0.055) / 1.055) ** 2.4
    return torch.where(rgb <= 0.04045, straight, curved)
    # END SOLUTION


# %%
value = torch.tensor([0.0, 0.25, 0.5, 0.735, 1.0])
for v, light in zip(value, srgb_to_linear(value), strict=True):
    print(f"value {v:.3f}  light {light:.3f}")

# %% [markdown]
# ## 2. From light to XYZ
#
# By day the eye uses three kinds of cones, whose sensitivities overlap. The standard values X, Y and Z are built from them:
# each is a weighted sum of red, green and blue light. Y is the luminance; green counts most in it.

# %%
matrix = torch.tensor(RGB_TO_XYZ)
print(matrix)

# %% [markdown]
# ### Exercise 1.2 · From light to XYZ
# ●●○○○ · 10 minutes
#
# Multiply the matrix by the three lights of each pixel: $X = m_{11} R + m_{12} G + m_{13} B$, and so on, with $m_{ij}$ in row
# $i$ and column $j$ of the matrix.
#
# <details><summary>Hint 1</summary>The channel is the first dimension: the sum runs over it, rows and columns stay.</details>
# <details><summary>Hint 2</summary><code>torch.einsum("ij,jhw->ihw", ...)</code>, or reshape to (3, H W), multiply, reshape
# back.</details>


# %%
@check("1.2")
def linear_to_xyz(linear, matrix):
    """Mix lights: linear (3, H, W), matrix (3, 3) -> XYZ (3, H, W)."""
    # BEGIN SOLUTION
    return torch.einsum("ij,jhw->ihw", matrix, linear)
    # END SOLUTION


# %% [markdown]
# Take no result on trust: scikit-image has the same formulas, written by other people. How far apart are the two?

# %%
chelsea = photos[1]
xyz = linear_to_xyz(srgb_to_linear(chelsea), matrix)
theirs = torch.from_numpy(color.rgb2xyz(chelsea.movedim(0, -1).numpy())).movedim(-1, 0)
print(f"largest difference from scikit-image: {(xyz - theirs).abs().max():.0e}")

# %% [markdown]
# ## 3. From XYZ to Lab
#
# Twice the light does not look twice as bright. Lab compresses X, Y and Z with a cube root (near black, where the root is too
# steep, with a straight line). Then it takes one lightness and two *differences*:
#
# $$ L = 116 f(Y/Y_n) - 16, \quad a = 500\,[f(X/X_n) - f(Y/Y_n)], \quad b = 200\,[f(Y/Y_n) - f(Z/Z_n)] $$
#
# $$ f(t) = \begin{cases} \sqrt[3]{t} & \text{if } t > 0.008856 \\ 7.787\,t + 16/116 & \text{otherwise} \end{cases} $$
#
# $X_n, Y_n, Z_n$ are those of white. L runs from 0 to 100. a is negative for green and positive for red, b negative for
# blue and positive for yellow. Gray has a = b = 0; the distance from it, $\sqrt{a^2 + b^2}$, is called chroma.
#
# ### Exercise 1.3 · From XYZ to Lab
# ●●○○○ · 10 minutes
#
# Divide by white, apply $f$, and return L, a and b, stacked.
#
# <details><summary>Hint 1</summary>Divide by the white point first; it needs the shape (3, 1, 1) to meet (3, H, W).</details>
# <details><summary>Hint 2</summary><code>x, y, z = f</code> takes a (3, H, W) tensor apart, <code>torch.stack</code> puts three
# channels together.</details>


# %%
@check("1.3")
def xyz_to_lab(xyz, white):
    """XYZ (3, H, W), white (3,) -> Lab (3, H, W)."""
    # BEGIN SOLUTION
    t = xyz / white.view(3, 1, 1)
    f = torch.where(t > 0.008856, t ** (1 / 3), 7.787 * t + 16 / 116)
    x, y, z = f
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)))
    # END SOLUTION


# %%
ours = xyz_to_lab(xyz, torch.tensor(WHITE))
theirs = torch.from_numpy(color.rgb2lab(chelsea.movedim(0, -1).numpy())).movedim(-1, 0)
print(f"largest difference from scikit-image: {(ours - theirs).abs().max():.0e}")
print(
    f"from the library's rgb_to_lab:       {(ours - rgb_to_lab(chelsea)).abs().max():.0e}"
)

# %% [markdown]
# From here on we use the library's `rgb_to_lab` and `lab_to_rgb`: the same three steps and their way back, for whole batches,
# on any device, with gradients. (The library computes powers faster, which moves colors by a few ten-thousandths of a unit.)
#
# ## 4. What L keeps
#
# Two photos, split:

# %%
lab = rgb_to_lab(photos)  # (5, 3, 256, 256)
L, ab = lab[:, :1], lab[:, 1:]


def paint(L, ab):
    """L (N, 1, H, W), ab (N, 2, H, W) -> pictures (N, 3, H, W)."""
    return lab_to_rgb(torch.cat((L, ab), dim=1))


# %% jupyter={"source_hidden": true}
flat = torch.full_like(L, 65)
only_a, only_b = (
    ab * torch.tensor([1.0, 0]).view(2, 1, 1),
    ab * torch.tensor([0, 1.0]).view(2, 1, 1),
)
for i in (1, 3):
    parts = [photos[i : i + 1], paint(L, ab * 0)[i : i + 1]]
    parts += [paint(flat, only)[i : i + 1] for only in (only_a, only_b)]
    labels = (
        "photo",
        "L alone",
        f"a: mean {ab[i, 0].mean():+.0f}",
        f"b: mean {ab[i, 1].mean():+.0f}",
    )
    show(
        pictures([part[0] for part in parts], labels, columns=4, inches=2.4),
        alt=f"The photo {images.BUNDLED[i]}, its L, its a and its b, shown at L = 65.",
        caption="L has nearly all the fine detail. a (green to red) and b (blue to "
        "yellow), shown at L = 65, mostly vary slowly.",
    )

# %% [markdown]
# **Predict.** Shrink a and b to an eighth of the size and enlarge them again. Then do the same with L. Which does more harm?
# PSNR, the peak signal-to-noise ratio, compares pictures, in decibels: 10 dB more means a tenth of the squared error.


# %%
def coarse(channels, factor):
    """Shrink by a factor, enlarge to the old size: detail is lost."""
    small = F.avg_pool2d(channels, factor)
    return F.interpolate(small, scale_factor=factor, mode="bilinear", align_corners=False)


for factor in (2, 4, 8, 16):
    color_lost = psnr(paint(L, coarse(ab, factor)), photos).mean()
    light_lost = psnr(paint(coarse(L, factor), ab), photos).mean()
    print(
        f"factor {factor:2}: coarse ab {color_lost:.1f} dB, coarse L {light_lost:.1f} dB"
    )

# %% jupyter={"source_hidden": true}
trio = [photos[1], paint(L, coarse(ab, 8))[1], paint(coarse(L, 8), ab)[1]]
chroma = mean_chroma(rgb_to_lab(torch.stack(trio))[:, 1:])
names = [
    f"{name}\nchroma {c:.1f}"
    for name, c in zip(
        ("photo", "ab at an eighth", "L at an eighth"), chroma, strict=True
    )
]
show(
    pictures(trio, names, columns=3, inches=2.4),
    alt="The cat photo, with coarse color, and with coarse lightness. Only the last one "
    "looks blurred.",
    caption="Coarse color is hard to see, coarse lightness is not. Television has used "
    "this since the 1950s, JPEG since 1992; Zhang's network predicts color at a "
    "quarter of the size.",
)

# %% [markdown]
# For later: how large can a and b become in sRGB? A lattice of 52 x 52 x 52 colors shows it.

# %%
levels = torch.linspace(0, 1, 52)
cube = torch.cartesian_prod(levels, levels, levels).T.unsqueeze(-1)  # (3, 140608, 1)
low, high = rgb_to_lab(cube)[1:].flatten(1).aminmax(dim=1)
for name, least, most in zip("ab", low, high, strict=True):
    print(f"{name} from {least:.0f} to {most:.0f}")

# %% [markdown]
# ## 5. Why not RGB or HSV?
#
# Three reasons, each with numbers.
#
# **RGB repeats itself.** Red, green and blue all carry the lightness. A network asked for RGB would have to predict three
# times what it was given. The correlation between the channels of each photo:

# %%
print(f"{'':18} red-green red-blue green-blue     L-a    L-b    a-b")
for name, rgb_photo, lab_photo in zip(images.BUNDLED, photos, lab, strict=True):
    r, c = torch.corrcoef(rgb_photo.flatten(1)), torch.corrcoef(lab_photo.flatten(1))
    print(f"{name:18} {r[0, 1]:9.2f} {r[0, 2]:8.2f} {r[1, 2]:10.2f}", end="   ")
    print(f"{c[0, 1]:+.2f}  {c[0, 2]:+.2f}  {c[1, 2]:+.2f}")

# %% [markdown]
# Mostly, L says less about a and b than one RGB channel says about another. (The rocket is an exception, and a and b still
# repeat each other in part.) What L does not say, a network must get from *what* it sees: grass, sky, skin.
#
# **HSV does not know how bright a color is.** Its V is the largest of red, green and blue: 1 for all six of these.

# %%
hues = {
    "red": (1, 0, 0),
    "yellow": (1, 1, 0),
    "green": (0, 1, 0),
    "cyan": (0, 1, 1),
    "blue": (0, 0, 1),
    "magenta": (1, 0, 1),
}
for name, rgb in hues.items():
    one = rgb_to_lab(torch.tensor(rgb, dtype=torch.float32).view(3, 1, 1))
    print(f"{name:8} V = {colorsys.rgb_to_hsv(*rgb)[2]:.0f}   L = {one[0].item():5.1f}")

# %% jupyter={"source_hidden": true}
bars = torch.cat(
    [
        torch.tensor(c, dtype=torch.float32).view(3, 1, 1).expand(3, 60, 90)
        for c in hues.values()
    ],
    dim=2,
)
bar_lab = rgb_to_lab(bars)
gray_bars = lab_to_rgb(bar_lab * torch.tensor([1.0, 0, 0]).view(3, 1, 1))
value_bars = bars.amax(dim=0, keepdim=True).expand(3, -1, -1)
fig, axes = panels(3, 1, (6.5, 0.95))
rows = {"six colors": bars, "their L, as gray": gray_bars, "their V, as gray": value_bars}
for ax, (title, bar) in zip(axes, rows.items(), strict=True):
    picture(ax, bar, title)
    ax.set(xticks=[], yticks=[])
    ax.set_axis_on()
    ax.spines[:].set_visible(True)  # a frame: the last bar is all white
    for k, name in enumerate(hues):
        number = {
            "their L, as gray": f"{bar_lab[0, 0, 90 * k]:.0f}",
            "their V, as gray": "1",
        }
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        ax.text(
            90 * k + 45, 30, number.get(title, name), ha="center", va="center", bbox=box
        )
show(
    fig,
    alt="Six colored bars; below them their L as gray, from dark for blue to bright for "
    "yellow; below their V, all white.",
    caption="Yellow is bright and blue is dark. L knows it, V does not.",
)

# %% [markdown]
# **Distances mislead.** In HSV, hue is an angle: 359 degrees and 1 degree are nearly the same red, but their mean, 180, is
# cyan. In RGB, equal steps do not look equal. In Lab they nearly do; that is what it was made for.


# %% jupyter={"source_hidden": true}
def pair(start, end):
    """Two colors (3,) side by side: -> (3, 70, 140)."""
    return torch.cat([c.view(3, 1, 1).expand(3, 70, 70) for c in (start, end)], dim=2)


def as_lab(rgb):
    """One color (3,), RGB -> Lab."""
    return rgb_to_lab(rgb.view(3, 1, 1)).flatten()


def as_rgb(one):
    """One color (3,), Lab -> RGB."""
    return lab_to_rgb(one.view(3, 1, 1)).flatten()


starts = [
    torch.tensor(c)
    for c in ((0.1, 0.25, 0.2), (0.1, 0.8, 0.3), (0.15, 0.15, 0.5), (0.8, 0.8, 0.75))
]
step_rgb, step_lab = torch.tensor([0.12, 0.0, 0.0]), torch.tensor([0.0, 15.0, 0.0])
by_rgb = [(start, start + step_rgb) for start in starts]
by_lab = [(start, as_rgb(as_lab(start) + step_lab)) for start in starts]
fig, axes = panels(2, 4, (1.8, 1.35))
for ax, (start, end) in zip(axes, by_rgb + by_lab, strict=True):
    in_rgb, in_lab = (start - end).norm(), (as_lab(start) - as_lab(end)).norm()
    picture(ax, pair(start, end), f"RGB {in_rgb:.2f}, Lab {in_lab:.0f}")
show(
    fig,
    alt="Two rows of four pairs of colors. Above, all RGB distances are 0.12 and Lab "
    "distances differ widely; below, all Lab distances are 15 and RGB distances "
    "differ.",
    caption="Above: equal steps of red in RGB. The step in the dark is plain, the one "
    "in the bright green is hard to see. Below: equal steps in Lab. They look more "
    "alike, though not perfectly: Lab is least even in deep blue.",
)

# %% [markdown]
# ## 6. The colors of another photo
#
# A baseline of Zhang et al.: the colors of *another* photo, drawn at random. Here each photo takes those of its neighbor.
#
# ### Exercise 1.4 · Colors of another photo
# ●●○○○ · 10 minutes
#
# Return a picture with the L of the first photo and the a and b of the second.
#
# <details><summary>Hint 1</summary>Convert both to Lab. Channel 0 is L, channels 1 and 2 are a and b.</details>
# <details><summary>Hint 2</summary><code>lab[:1]</code> keeps the channel dimension, <code>lab[0]</code> does not.
# <code>torch.cat</code> along dimension 0, then <code>lab_to_rgb</code>.</details>


# %%
@check("1.4")
def swap_color(keeps_light, gives_color):
    """L of the first picture, a and b of the second: two (3, H, W) -> (3, H, W)."""
    # BEGIN SOLUTION
    lightness = rgb_to_lab(keeps_light)[:1]
    borrowed = rgb_to_lab(gives_color)[1:]
    return lab_to_rgb(torch.cat((lightness, borrowed)))
    # END SOLUTION


# %%
donors = photos.roll(1, dims=0)  # each photo gets the colors of the one before it
swapped = torch.stack([swap_color(*two) for two in zip(photos, donors, strict=True)])
chroma = mean_chroma(rgb_to_lab(swapped)[:, 1:])
givers = images.BUNDLED[-1:] + images.BUNDLED[:-1]
names = [
    f"L: {keeps}\nab: {gives}\nchroma {c:.1f}"
    for keeps, gives, c in zip(images.BUNDLED, givers, chroma, strict=True)
]
show(
    pictures(swapped, names),
    alt="Each photo with the colors of another: the cat's face lies in the orange shape "
    "of the astronaut, and so on.",
    caption="Every shape can be recognized from L alone; the colors are stains of "
    "another picture.",
)

# %% [markdown]
# **Predict.** Are random colors better or worse than no color at all, in PSNR?

# %%
gray = paint(L, ab * 0)
print(f"no color:      {psnr(gray, photos).mean():.1f} dB")
print(f"random colors: {psnr(swapped, photos).mean():.1f} dB")
for name, one, other in zip(
    images.BUNDLED, psnr(gray, photos), psnr(swapped, photos), strict=True
):
    print(f"  {name:18} {one:.1f} and {other:.1f} dB")

# %% [markdown]
# Worse, on average: a vivid color in the wrong place costs more than none. This will pull networks that are trained on
# squared error toward gray (lesson 3). (Two photos do better with random colors. Why? The answer is at the end.)
#
# ## 7. Traps
#
# ### Eight bits
#
# Most photo files have 8 bits for a channel. Some published code keeps Lab that way, too: L stretched to 0..255, a and b
# rounded to whole numbers. What does it cost?

# %%
rounded = torch.cat(((L * 2.55).round() / 2.55, ab.round()), dim=1)
before, after = (photos * 255).round(), (lab_to_rgb(rounded) * 255).round()
changed = (before != after).any(dim=1).float().mean()
largest = (before - after).abs().max()
print(f"{changed:.0%} of the pixels changed, by up to {largest:.0f} of 255 levels")
print(f"PSNR {psnr(lab_to_rgb(rounded), photos).mean():.1f} dB")

# %% [markdown]
# You will not see it. But eight of ten pixels are no longer what they were. Keep Lab in floating point, and keep files in
# sRGB.
#
# ### 0 to 1, or 0 to 255?
#
# `rgb_to_lab` takes floats from 0 to 1 (and 8-bit integers from 0 to 255). Floats from 0 to 255 raise no error. One widely
# copied colorization program computed its color statistics this way.

# %%
spoiled = rgb_to_lab(photos * 255)
print(f"L up to {spoiled[:, 0].max():.0f}, a up to {spoiled[:, 1].max():.0f}")

# %% [markdown]
# L above 100 is the alarm bell.
#
# ### The color profile
#
# The rocket photo was saved in Adobe RGB, a wider color space, and says so in its file. Programs that ignore this,
# scikit-image among them, take its numbers for sRGB. Our `images.read` converts them.

# %%
ignored = images.square(torch.from_numpy(data.rocket()).movedim(-1, 0).float() / 255, 256)
respected = photos[3]
chroma = mean_chroma(rgb_to_lab(torch.stack((ignored, respected)))[:, 1:])
show(
    pictures(
        (ignored, respected),
        (
            f"profile ignored\nmean chroma {chroma[0]:.1f}",
            f"respected\nmean chroma {chroma[1]:.1f}",
        ),
        columns=2,
        inches=2.6,
    ),
    alt="The rocket photo twice; with its profile respected the blue of the sky is more "
    "vivid.",
    caption="Without its profile the photo is duller than it was meant to be. Many "
    "phones save wider colors, too.",
)

# %% [markdown]
# ### Photos that have no color
#
# Data sets contain gray photos. A network trained on them learns that gray is right. Zhang et al. leave out every photo that
# has no pixel with |a| or |b| above 5.
#
# ### Exercise 1.5 · The gray filter
# ●●○○○ · 10 minutes
#
# Return True for each picture of the batch that is gray by this rule.
#
# <details><summary>Hint 1</summary>Turn the sentence around: gray means that *all* values are at most 5 from zero.</details>
# <details><summary>Hint 2</summary><code>.flatten(1)</code> makes one row for each picture, <code>.all(dim=1)</code> asks
# the row.</details>


# %%
@check("1.5")
def is_gray(ab, threshold=5.0):
    """Which pictures are gray: ab (N, 2, H, W) -> (N,) bool."""
    # BEGIN SOLUTION
    return (ab.abs() <= threshold).flatten(1).all(dim=1)
    # END SOLUTION


# %%
sepia = gray * torch.tensor([1.0, 0.9, 0.7]).view(3, 1, 1)
blue_print = gray * torch.tensor([0.75, 0.85, 1.0]).view(3, 1, 1)
for name, batch in (
    ("photos", photos),
    ("gray", gray),
    ("sepia", sepia),
    ("blue", blue_print),
):
    print(f"{name:7}", is_gray(rgb_to_lab(batch)[:, 1:]).tolist())

# %% [markdown]
# Old photos in sepia pass for color: the filter knows only numbers.
#
# **Predict.** Somebody forgets the absolute value. Which photos are then lost from the training set? Here are the blue ones:

# %%
print(
    "without the absolute value:",
    (rgb_to_lab(blue_print)[:, 1:] <= 5).flatten(1).all(dim=1).tolist(),
)

# %% [markdown]
# <details><summary>Answer</summary>Those in which a and b are never above 5: pale blue or blue-green all over, such as a
# green sea, ice, or the blue ones above. They count as gray and disappear without a word. (A saturated blue has a above 5 and
# stays.)</details>
#
# ## What the papers say, what we measured
#
# | | papers | this lesson |
# |---|---|---|
# | color space | Lab, predict a and b from L (Zhang; Agrawal & Sawhney; Koalarization; KTH) | the same |
# | range of a and b in 8-bit sRGB | taken as -100 to 100 (Agrawal & Sawhney, 4.2.2) | -86 to 98 and -108 to 94 (section 4) |
# | resolution of the predicted color | a quarter (Zhang) | coarse ab by 4: 34.8 dB, coarse L by 4: 25.1 dB |
# | random colors against gray | worse in AuC, 84.2 against 89.1 % (Zhang, Table 1) | worse in PSNR, 16.5 against 18.0 dB |
# | gray filter | no pixel above 5 in a or b (Zhang, supplementary) | the same; sepia passes |
#
# **Take away**
# 1. L is given and holds the detail. a and b are missing, soft, and cheap to store.
# 2. Equal distances in Lab look about equal, so a distance in ab can serve as an error.
# 3. Conversions fail silently. Check ranges, profiles, and one number against another program.
#
# ## Questions
#
# <details><summary>Two of our photos do better with random colors than with none. Why?</summary>The coffee is warm all over,
# and it got the colors of the cat, which are warm, too: roughly right nearly everywhere. The cat got those of the astronaut.
# Its gain is all in the upper half, where background, hair and skin are faintly warm, as the cat is. Random colors of a
# similar photo are a fair guess; Welsh's method (lesson 12) starts from choosing that photo well.</details>
# <details><summary>Which colors can a pixel of L = 97 still have? And one of L = 50?</summary>At 97 hardly any but pale ones
# and bright yellow: white paper and snow are easy to color. At 50 nearly as many as anywhere; the choice is widest near 55.
# Lightness says how much freedom is left, not which color it is.</details>
# <details><summary>Is the mean of two colors in Lab the same as in RGB?</summary>No: the curve and the cube root lie between
# the two spaces. Halfway from blue to yellow is gray in RGB values; in Lab it is a dull pink of chroma 30. Lesson 3 is about
# what happens when a network takes such means.</details>

# %%
check.scorecard()
