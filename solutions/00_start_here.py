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
# Run the cells one by one with Shift + Enter. Some cells that draw are folded; a click on the three dots opens them.

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
# photos that it has never seen. They come with scikit-image, a Python library for images.

# %%
photos = [images.square(images.bundled(name), 256) for name in images.BUNDLED]
grays = [to_gray(photo) for photo in photos]
show(
    pictures(grays, images.BUNDLED),
    alt="Five photos in gray: an astronaut, a cat, a cup of coffee, a rocket at night, a "
    "motorcycle.",
    caption="What the network gets to see, once it is reduced to 96 x 96 pixels.",
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
    alt="Three rows of five photos: gray, colored by the network, original. Colored: a "
    "yellow wall behind the astronaut, a brown cat with green and red patches, a cup "
    "with blue and red patches on a green table, a blue night sky, a brown motorcycle on "
    "a yellow floor.",
    caption="Gray, colored by the network, original. The chroma of a pixel is its "
    "distance from gray; above the lower two rows stands its mean.",
)

# %% [markdown]
# It does best on the blue night sky, and on the cat, mostly brown but with green and red patches. The cup should be red on an
# orange table; it is partly blue, partly red, and the table is green. The astronaut's suit has lost its orange, and the
# nearly gray wall behind her is yellow. The red motorcycle is brown, its gray floor yellow.
#
# Compare the numbers, too: three of the five are more colorful than the originals. This network was trained to bet on rare
# colors, and it does so too often. Lesson 5 shows why one would want that.

# %% [markdown]
# ## 2. An exercise and its badge
#
# In Lab, the color space of lesson 1, the color of a pixel is two numbers besides its lightness: a (from green to red) and b
# (from blue to yellow). Gray is a = b = 0.
#
# Every exercise of this course looks like this one. Replace the line `raise NotImplementedError` by your answer, and run the
# cell. A badge below it says *open*, *not yet* (and what is wrong), or *right*. Whatever it says, you can go on: as long as
# your function is not right, the cells that follow use the course's own.
#
# Try it: run the cell as it is. Then write `return a + b`, run it, and read the badge. Then write the right answer.
#
# ### Exercise 0.1 · The chroma of a pixel
# ●○○○○ · 2 minutes
#
# Return the chroma of each pixel: the distance of the point (a, b) from the point (0, 0).
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
# Your own function now computes the numbers above the pictures:

# %%
print("mean chroma    colored   original")
for name, ours, true in zip(images.BUNDLED, colored, photos, strict=True):
    c, t = (chroma(*rgb_to_lab(photo)[1:]).mean().item() for photo in (ours, true))
    print(f"{name:18} {c:5.1f}     {t:5.1f}")

# %% [markdown]
# ## 3. One knob: the temperature
#
# The network does not answer with one color for a pixel. It answers with a probability for each of 313 colors, say 0.3 for a
# green and 0.2 for gray. One color has to be made of them. Zhang, Isola and Efros, whose paper of 2016 this course follows,
# do it with a number T, the temperature.
#
# - T = 1 takes the mean of all 313 colors, each weighted by its probability.
# - A smaller T sharpens the probabilities first: each $p$ becomes $p^{1/T}$, and all are divided by their sum. The likely
#   colors get likelier. Then it takes the mean.
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
    alt="The cup of coffee in four versions. At T = 1 the saucer is a dull purple brown; "
    "at T = 0 the picture falls into patches of strong blue, orange and red.",
    caption="One answer of the network, read at four temperatures.",
)

# %% [markdown]
# <details><summary>What happens here?</summary>On the saucer the network hesitates between blue and red. Their mean is a dull
# purple. With a smaller T one of them wins, and the picture becomes more colorful. At T = 0 neighbors may decide differently,
# and the color breaks into patches. The paper takes T = 0.38, a compromise; lesson 6 asks what speaks for it.</details>
#
# The network runs only once, with 313 numbers for each of 48 x 48 pixels. The slider only reads this answer again.
#
# ## 4. Your own photo
#
# Choose a photo, color or gray. It stays on the machine that runs this notebook (for a hosted notebook, the host's). If it
# has colors, the network does not see them. For the screen, photos longer than 1,024 pixels are made smaller.

# %%
upload_demo(colorizer)

# %% [markdown]
# In your own programs, three lines are enough, and the photo keeps all its pixels:

# %%
colorizer = Colorizer.load("first")
result = colorizer.colorize(images.bundled("chelsea"), T=0.38)
print(result.shape, result.dtype)  # height, width, channels: ready for images.save

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
# Nothing in the gray picture says which of the two it was. In a photo the surroundings help: grass is usually green. They
# seldom settle the question. So:
#
# - **The colors are guesses.** They come from similar shapes and textures in the photos that the network learned from: 985
#   photos, and thumbnails of ten kinds of animals and vehicles. A better network guesses better. But what the gray photo has
#   lost, it cannot know either.
# - **A believable picture can be false.** A red coat may have been blue. A colored picture of the past is a likeness, not a
#   document. It is no evidence, in a newspaper, a court or a laboratory.
# - **People suffer most.** Lightness stays, but skin can become redder, yellower or grayer than it was, depending on the
#   photos that the network knows. Look at the astronaut's face above: it is far more yellow than in the original. One face is
#   no measurement, and we have made none. Do not read anything about a person's skin from a colored picture.
# - **An old photo is not a gray copy of a new one.** Early films hardly saw red, prints fade, and so even the lightness is
#   not what it was. No network of this course has been trained on such pictures; lesson 13 shows what can be repaired.
# - **Say so.** Write "colored by a computer" beside the picture, and keep the original with it.
#
# ## 6. The way through the course
#
# | lesson | the question it answers |
# |---|---|
# | 0 | What can a small network make of a gray photo? |
# | 1 | What does a gray photo still know about the colors? |
# | 2 | Why 313 colors, and what does it cost to have no others? |
# | 3 | Why does a network trained on the squared distance paint apples brown? |
# | 4 | What changes when color becomes a choice among classes? |
# | 5 | Why are vivid colors rare, and how does a network learn them all the same? |
# | 6 | How does a distribution become one color? |
# | 7 | What is in the full network of Zhang, Isola and Efros, and what does it cost? |
# | 8 | Two colorings of one photo: which is better, and who says so? |
# | 9 | What else can a network be asked for, and which of its layers should answer? |
# | 10 | The same grass is green in summer and brown in fall: how can a pixel know? |
# | 11 | Can a network find out by itself what a good color is? |
# | 12 | The network proposes colors: how do you tell it what you want? |
# | 13 | Old photos, a folder of your own: what can you do with what you have learned? |
#
# Lessons 1 and 2 need Python and a little experience with PyTorch's tensors. Each lesson says at its start which others it
# builds on.
#
# ## What the papers say, what we measured
#
# | | Zhang et al. 2016 | here |
# |---|---|---|
# | numbers in the network | 32 million (the released one) | 1.8 million |
# | photos to learn from | 1.3 million | 985, and 44,008 thumbnails of 32 x 32 pixels |
# | T of the annealed mean | 0.38, chosen by eye | 0.38, taken from them |
# | measured on | about 10,000 photos | 97 squares of 128 x 128 pixels |
# | raw AuC, gray and colored | 89.1 %, 89.5 % | 88.3 %, 84.5 % |
# | rebalanced AuC, gray and colored | 58.0 %, 67.3 % | 63.0 %, 68.1 % |
# | answers that took the colored photo for the real one | 32 % (50 % would be perfect) | not run |
#
# AuC is the share of pixels whose color lies within a distance t of the true one, averaged over t from 0 to 150. In the
# rebalanced AuC rare colors count more; lesson 8 explains both. By raw AuC our network does worse than a gray photo, by
# rebalanced AuC better; lesson 5 shows the exchange. Compare within a column only, because the photos differ. Our column is
# from the network's card, `data/weights/first.md`.
#
# **Take away**
# 1. This network sees lightness and answers with a probability for each of 313 colors. A rule with a temperature makes one
#    color of them.
# 2. A lower temperature gives more color and less smoothness, without new training.
# 3. A colored picture is a guess, at best a believable one. Say so when you show it.
#
# ## Questions
#
# <details><summary>Does the network change the lightness of a photo?</summary>No. It answers with a and b; L is taken from
# the photo. But some combinations of L, a and b are colors that no screen can show. There red, green and blue are clipped,
# and L changes a little, too.</details>
# <details><summary>You upload a color photo. How can you be sure that its colors are not used?</summary>The colorizer takes L
# of the photo and gives nothing else to the network. Try it: color a photo and its gray copy, made with <code>to_gray</code>
# (other programs compute another gray), and compare.</details>
# <details><summary>At T = 1 the picture is duller. Is the network less sure then?</summary>No. Its answer is the same at
# every T; only the way to read it changes.</details>

# %%
check.scorecard()
