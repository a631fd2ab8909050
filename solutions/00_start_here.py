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
# # Lesson 0 · Start here: color a photo
#
# **What does a small network, trained for less than an hour and a half on two processor cores, make of a gray photo?**
#
# After this lesson you can
# - color the photos of this course, and your own;
# - turn the one knob that later lessons come back to, the temperature;
# - solve an exercise and read its badge;
# - say what a colored picture is, and what it is not.
#
# | to read and solve | to run | needs |
# |---|---|---|
# | 20 minutes, 1 exercise | under 1 minute | CPU only, no download |
#
# Run the cells one by one with Shift + Enter. Cells that only draw are folded; a click on the three dots opens them.

# %%
import torch

from colorize import images
from colorize.check import check
from colorize.colorizer import Colorizer
from colorize.figures import panels, picture, pictures, show
from colorize.lab import lab_to_rgb, rgb_to_lab, to_gray
from colorize.metrics import mean_chroma
from colorize.widgets import temperature_demo, upload_demo

# %% [markdown]
# ## 1. Five photos
#
# The network gets the lightness of a photo, called L, and nothing else. It answers with colors. Here is what it gets of five
# photos that it has never seen. They come with scikit-image, a library of this course.

# %%
photos = [images.square(images.bundled(name), 256) for name in images.BUNDLED]
grays = [to_gray(photo) for photo in photos]
show(
    pictures(grays, images.BUNDLED),
    alt="Five photos in gray: an astronaut, a cat, a cup of coffee, a rocket at night, a "
    "motorcycle.",
    caption="All that the network gets to see.",
)

# %% [markdown]
# **Predict.** Which of the five will it color best? Where will it have no chance? Think of what can be known from gray alone.

# %%
colorizer = Colorizer.load("first")
numbers = sum(p.numel() for p in colorizer.network.parameters())
print(f"the network {colorizer.name!r} consists of {numbers:,} numbers")
colored = [images.to_tensor(colorizer.colorize(gray)) for gray in grays]


# %% jupyter={"source_hidden": true}
def title(photo):
    """Mean chroma of a picture, as a title."""
    return f"chroma {mean_chroma(rgb_to_lab(photo[None])[:, 1:]).item():.1f}"


fig, axes = panels(3, 5, (2.1, 2.35))
for k, name in enumerate(images.BUNDLED):
    picture(axes[k], grays[k], name)
    picture(axes[5 + k], colored[k], title(colored[k]))
    picture(axes[10 + k], photos[k], title(photos[k]))
for row, text in zip(axes[::5], ("gray", "colored", "original"), strict=True):
    row.text(
        -0.06, 0.5, text, transform=row.transAxes, rotation=90, ha="right", va="center"
    )
show(
    fig,
    alt="Three rows of the five photos: gray, in the network's colors, and as they were "
    "taken. Each colored one has its mean chroma above it.",
    caption="Gray, colored by the network, original. The chroma of a pixel is its "
    "distance from gray; above the pictures stands its mean.",
)

# %% [markdown]
# The night sky becomes blue, the cat brown: the network has seen many skies and much fur. It has no chance with the
# cup. Cups come in all colors, and this one turns out partly blue, partly red. The suit of the astronaut should be orange, and the wall
# behind her is nearly gray; both are guesses gone wrong.
#
# Compare the numbers, too. Three of the five are more colorful than the originals. This network was trained to bet on
# rare colors, and does so too often; lesson 5 shows why one would want that.

# %% [markdown]
# ## 2. An exercise and its badge
#
# In Lab, the color space of lesson 1, the color of a pixel is two numbers beside its lightness: a (from green to red) and
# b (from blue to yellow). Gray is a = b = 0.
#
# Every exercise of this course looks like this one. Replace the line `raise NotImplementedError` by your answer, and run the
# cell. A badge below it says *open*, *not yet* (with what is wrong), or *right*. Whatever it says, you can go on: as long as
# your function is not right, the cells that follow use the course's own.
#
# Try it: first run the cell as it is. Then write `return a + b`, run it, and read what the badge says. Then do it right.
#
# ### Exercise 0.1 · The chroma of a pixel
# ●○○○○ · 2 minutes
#
# Write the chroma of a pixel: the distance of the point (a, b) from the point (0, 0).
#
# <details><summary>Hint 1</summary>The theorem of Pythagoras: a and b are the short sides of a triangle, the chroma is
# the long one.</details>
# <details><summary>Hint 2</summary>Square both, add, take the root: <code>torch.sqrt(...)</code>.</details>


# %%
@check("0.1")
def chroma(a, b):
    """Colors a and b, two tensors of one shape -> their chroma, in the same shape."""
    # BEGIN SOLUTION
    return torch.sqrt(a**2 + b**2)
    # END SOLUTION


# %% [markdown]
# With it you can measure what the eye sees in the pictures above:

# %%
print("mean chroma    colored   original")
for name, ours, true in zip(images.BUNDLED, colored, photos, strict=True):
    c, t = (chroma(*rgb_to_lab(photo)[1:]).mean().item() for photo in (ours, true))
    print(f"{name:18} {c:5.1f}     {t:5.1f}")

# %% [markdown]
# ## 3. One knob: the temperature
#
# The network does not answer with one color for a pixel. It answers with a probability for each of 313 colors: this pixel is
# green with so much, gray with so much. One color has to be made of them. Zhang, Isola and Efros do it with a number T, the
# temperature.
#
# - T = 1 takes the mean of all 313 colors, each counted by its probability.
# - A smaller T first makes the likely colors likelier, and the unlikely ones rarer.
# - T = 0 takes the likeliest color alone.
#
# **Predict.** What will the mean over many colors look like? Which end of the scale is more colorful, which is smoother?
#
# Move the slider. (Nothing there? Widgets need a running notebook. The row of pictures below shows four positions.)

# %%
temperature_demo(colorizer, grays[2])

# %% jupyter={"source_hidden": true}
lightness, answer = colorizer.answer(grays[2])
steps = (1.0, 0.38, 0.14, 0.0)
painted = [colorizer.paint(lightness, answer, T)[0] for T in steps]
show(
    pictures(
        painted,
        [f"T = {T:g}, {title(p)}" for T, p in zip(steps, painted, strict=True)],
        4,
        2.6,
    ),
    alt="The cup of coffee in four versions. At T = 1 it is brownish and dull; at T = 0 "
    "it falls into patches of strong blue, orange and red.",
    caption="One answer of the network, read at four temperatures.",
)

# %% [markdown]
# <details><summary>What happens here?</summary>The mean of red and green is a brown gray: where the network hesitates, a
# mean is dull. With a smaller T one of them wins, and the picture becomes more colorful. At T = 0 neighbors may decide
# differently, and the color breaks into patches. The paper takes T = 0.38, as a compromise; lesson 6 looks for it
# again.</details>
#
# The slider is quick because the network runs only once. Its answer, 313 numbers for every pixel of a small picture, stays
# in memory; a move of the slider only reads it again.
#
# ## 4. Your own photo
#
# Choose a photo, color or gray. It stays on the machine that runs this notebook. If it has colors, the network does not
# see them.

# %%
upload_demo(colorizer)

# %% [markdown]
# In your own programs it is two lines, here with a photo of the course in place of your file's name:

# %%
result = Colorizer.load("first").colorize(images.bundled("chelsea"), T=0.38)
print(result.shape, result.dtype)

# %% [markdown]
# ## 5. What a colored picture is, and what it is not
#
# **Predict.** Two squares, one red, one green, both with L = 50. What does the network see of them?

# %%
red, green = torch.tensor([50.0, 50, 25]), torch.tensor([50.0, -45, 35])  # L, a, b
squares = torch.stack((red, green)).view(2, 3, 1, 1).expand(2, 3, 80, 80)
pair = lab_to_rgb(squares)
titles = ["red", "green", "red, in gray", "green, in gray"]
show(
    pictures([*pair, *to_gray(pair)], titles, 4, 1.6),
    alt="A red and a green square, and the same two in gray: the gray ones are alike.",
    caption="The two on the right are the same picture.",
)

# %% [markdown]
# Nothing in the gray picture says which of the two it was. So:
#
# - **The colors are invented.** The lightness is the photo's own, and with it every edge and every wrinkle. The color is a
#   guess from photos that look alike. A better network guesses better; it does not know more.
# - **A believable picture can be false.** A red coat may have been blue. Whoever shows a colored picture of the past shows
#   a likeness, not a document.
# - **A guess repeats its examples.** A network paints skin in the tones that its photos showed most often. It can make
#   people paler or darker than they were. The same goes for clothes, uniforms, flags and houses. We have not
#   measured what ours does to skin: photos of people are too few among those we measure with. Read nothing about a
#   person's skin from a colored picture.
# - **Say so.** Write "colored by a computer" beside the picture, keep the original, and keep both together.
#
# ## 6. The way through the course
#
# | lesson | the question it answers | |
# |---|---|---|
# | 0 | What can a small network make of a gray photo? | here |
# | 1 | What does a gray photo still know about the colors? | ready |
# | 2 | Why 313 colors, and what does it cost to have no others? | ready |
# | 3 | Why does a network that learns the nearest color paint apples brown? | planned |
# | 4 | What changes when color becomes a choice among classes? | planned |
# | 5 | Why are vivid colors rare, and how does a network learn them all the same? | planned |
# | 6 | How does a distribution become one color? | planned |
# | 7 | What is in the full network of Zhang, Isola and Efros? | planned |
# | 8 | How good is a coloring, and who says so? | planned |
# | 9 to 12 | What do other systems do differently, and what if you hold the brush? | planned |
# | 13 | What about your own pictures? | planned |
#
# Lessons 1 and 2 need Python and a first acquaintance with PyTorch's tensors. Each lesson stands on the ones before it.
#
# ## What the papers say, what we measured
#
# | | papers | here |
# |---|---|---|
# | numbers in the network | 32 million (Zhang et al. 2016, counted from their layers) | 1.8 million |
# | photos to learn from | 1.3 million (Zhang et al. 2016) | 985, and 44,008 thumbnails of 32 x 32 pixels |
# | T of the annealed mean | 0.38 (Zhang et al. 2016) | 0.38 |
# | rebalanced AuC, gray | 58.0 % (Zhang et al. 2016, Table 1) | 63.0 % |
# | rebalanced AuC, colored | 67.3 % (the same) | 68.1 % |
# | people who took the colored photo for the real one | 32 % (the same; 50 % would be perfect) | not run |
#
# AuC is a share of pixels whose color is nearly right; lesson 8 explains it. Each column was measured on photos of its own, and the
# rebalanced AuC depends on them: the step from gray to colored can be compared with care, the values cannot. The card
# of the network, `data/weights/first.md`, has more.
#
# **Take away**
# 1. A network sees lightness and answers with a distribution over colors. A readout makes one color of it.
# 2. Temperature trades caution for color. It needs no new training.
# 3. A colored picture is a likely one, not the true one. Say so when you show it.
#
# ## Questions
#
# <details><summary>Does the network change the lightness of a photo?</summary>No. It answers with a and b; L is taken from
# the photo. Only where L, a and b together are a color that no screen can show, the nearest values that it can show change all
# three a little.</details>
# <details><summary>You upload a color photo. How can you be sure that its colors are not used?</summary>The colorizer takes
# L of the photo and gives nothing else to the network. Try it: color a photo and its gray copy, and compare.</details>
# <details><summary>At T = 1 the picture is duller. Is the network less sure then?</summary>No. Its answer is the same at
# every T; only the way to read it changes.</details>

# %%
check.scorecard()
