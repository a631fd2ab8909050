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
# # Lesson 13 · Your own pictures
#
# **You have a box of old photos, and a folder of new ones. What can you do with what you have learned, and what should you tell people
# about the result?**
#
# Twelve lessons worked on clean photos whose true colors were known. This one leaves the laboratory: prints that have faded and are
# scratched, a network trained on a folder of your own, films that flicker, and the question of what a colored picture claims.
#
# After this lesson you can
# - bring an old print into the form that a network expects, and say what each repair is worth;
# - name the five usual failures of a colorizer, and measure each;
# - train on your own folder from start to end, without fooling yourself about the result, and share the network;
# - measure flicker, and the distance between two sets of pictures;
# - say what a colored photo is, and what it is not.
#
# | to read and solve | to run | needs |
# |---|---|---|
# | 75 minutes, 5 exercises | under a minute; one short training | CPU only, no download |
#
# You should know the network's answer and its readout (lesson 6), and how colorings are judged (lesson 8). How exercises work: replace the
# line `raise NotImplementedError` by your answer and run the cell. Whatever the badge says, you can go on. Cells that only draw are folded;
# a click on the three dots opens them.

# %%
import signal
import tempfile
from itertools import pairwise
from pathlib import Path

import ipywidgets
import numpy as np
import torch
from PIL import Image

from colorize import (
    batch,
    consistency,
    datasets,
    duplicates,
    failures,
    frechet,
    images,
    recipes,
    recognition,
    restoration,
    toyruns,
    train,
    training,
    weights,
)
from colorize.check import check
from colorize.colorizer import Colorizer
from colorize.decode import mode, paint
from colorize.evaluation import predict
from colorize.figures import panels, picture, pictures, show
from colorize.files import read_results
from colorize.frechet import root
from colorize.lab import rgb_to_lab, to_gray
from colorize.metrics import colorfulness, mean_chroma
from colorize.toyworld import ToyWorld
from colorize.widgets import slider_demo

# %%
FULL = {"all": 5, "crops": 14, "crop": 64, "steps": 60, "move": 8, "toys": 1000}
SHORT = {"all": 3, "crops": 8, "crop": 32, "steps": 8, "move": 16, "toys": 60}
size = FULL if toyruns.size() == toyruns.Size() else SHORT
colorizer = Colorizer.load("best")
T = colorizer.temperature
NAMES = images.BUNDLED[: size["all"]]
photos = torch.stack([images.square(images.bundled(name), 128) for name in NAMES])
true_ab = rgb_to_lab(photos)[:, 1:]


def colors(rgb, network=colorizer):
    """Pictures (N, 3, H, W) -> the network's ab, (N, 2, H, W)."""
    return predict(network, rgb, (T,))[T]


def distance(ab, other):
    """Mean distance of the colors, in ab units."""
    return (ab - other).norm(dim=1).mean().item()


# %% [markdown]
# ## 1. Old photographs
#
# An old photo comes from the scanner in color: the paper is brown. For our network that is no obstacle, since it looks at L alone. But two
# things in this course look at all three channels. **Predict**: are the colors of a sepia print better than no colors at all? And what does
# the filter that keeps gray photos out of a training ("if no pixel had a value of ab above 5", Zhang et al. 2016, supplementary, section
# 3.2) say about such a print?

# %%
L = rgb_to_lab(photos)[:, 0]  # (5, 128, 128)
prints = torch.stack([restoration.sepia(light) for light in L])
brown = rgb_to_lab(prints)[:, 1:]
print(f"{'off, ab units':20}  gray  sepia   network")
for k, name in enumerate(NAMES):
    found = [0 * true_ab[[k]], brown[[k]], colors(prints[[k]])]
    print(f"{name:20}" + "".join(f"{distance(ab, true_ab[[k]]):7.1f}" for ab in found))
print("taken for gray by the filter:", datasets.is_gray(prints).tolist())

# %% [markdown]
# Brown is a safe guess: nearer to the truth than gray in three of five, and in four of five nearer than our network, since a distance likes
# safe guesses (lesson 8). Nobody would call it the colors of the photo. And the filter lets all five pass: they are not gray, only
# uncolored. A network that learns from prints learns to paint in sepia. So **make prints gray before they get near a network**, and look
# through a training folder for them.
#
# The brown does no harm to L. Time does: highlights darken, blacks turn gray.
#
# **Predict.** L of a print runs from 37 to 77. What is the simplest way back to 0 and 100, and why should it not use the darkest and the
# lightest pixel?
#
# ### Exercise 13.1 · Gray from a faded print
# ●●○○○ · 8 minutes
#
# From a scan in Lab, return the gray picture: L stretched so that its quantile `share` becomes 0 and its quantile `1 - share` becomes 100,
# cut off beyond.
#
# <details><summary>Hint 1</summary><code>lab[0]</code> is L. a and b are the paper's color: they are thrown away.</details>
# <details><summary>Hint 2</summary><code>torch.quantile(values.flatten(), share)</code> is one of the two ends. Subtract the lower one,
# divide by their difference, times 100, <code>clamp(0, 100)</code>.</details>


# %%
@check("13.1")
def gray_of_print(lab, share=0.01):
    """A scan in Lab (3, H, W) -> L (H, W), 0 to 100."""
    # BEGIN SOLUTION
    light = lab[0]
    low = torch.quantile(light.flatten(), share)
    high = torch.quantile(light.flatten(), 1 - share)
    return (100 * (light - low) / (high - low)).clamp(0, 100)
    # END SOLUTION


# %% [markdown]
# (Quantiles, since the lightest pixel may be a speck of dust.) To know what a repair is worth we need the unharmed photo, so the ageing is
# **simulated**, with seeds. `fade` moves each L toward 62, on the left by one share and on the right by another; `scratches` are upright
# lines in which the white base of the print lies bare; `grain` is noise. scikit-image's `inpaint_biharmonic` fills a scratch from its
# surroundings as smoothly as possible. It must be told where. We know, and we also let `find_scratches` look.


# %%
def all_of(function, *arguments):
    """Apply a function of one picture (H, W) to several."""
    return torch.stack([function(*each) for each in zip(*arguments, strict=True)])


masks = torch.stack([restoration.scratches(128, 128, 5, seed=k) for k in range(len(L))])
even = all_of(lambda light: restoration.fade(light, 0.6, 0.6), L)
uneven = all_of(lambda light: restoration.fade(light, 0.3, 0.7), L)
scratched = all_of(restoration.scratched, L, masks)
found = all_of(restoration.find_scratches, scratched)
hits = found & masks
print(f"scratched: {masks.float().mean():.1%} of the pixels")
print(f"of these found: {hits.sum() / masks.sum():.0%}", end="; ")
print(f"of the found no scratch: {1 - hits.sum() / found.sum():.0%}")

# %% [markdown]
# The measure is not the distance from the true colors, which a network may miss anyway. It is **how far the colors move because of the
# damage**: the root mean square distance (RMSE of ab) from what the same network paints on the unharmed photo. **Predict**: which damage is
# worst, which repair brings back most?


# %%
def stretched(light):
    return all_of(lambda one: gray_of_print(rgb_to_lab(restoration.sepia(one))), light)


def gray_rgb(light):
    return paint(light[:, None].float(), torch.zeros(len(light), 2, 1, 1))


states = {
    "faded evenly": even,
    "  stretched": stretched(even),
    "faded unevenly": uneven,
    "  stretched ": stretched(uneven),
    "scratched": scratched,
    "  inpainted, scratches known": all_of(restoration.inpaint, scratched, masks),
    "  inpainted, scratches found": all_of(restoration.inpaint, scratched, found),
    "grain": torch.stack([restoration.grain(light, seed=k) for k, light in enumerate(L)]),
}
unharmed = colors(gray_rgb(L))
short_names = [name[:9] for name in NAMES]
print(f"{'RMSE of ab':30}" + "".join(f"{name:>11}" for name in short_names))
for state, light in states.items():
    moved = (
        (colors(gray_rgb(light)) - unharmed).square().sum(dim=1).mean(dim=(1, 2)).sqrt()
    )
    print(f"{state:30}" + "".join(f"{x:11.1f}" for x in moved))

# %% jupyter={"source_hidden": true}
k = NAMES.index("coffee")
light = restoration.scratched(even[k], masks[k])
repaired = gray_of_print(
    torch.stack((restoration.inpaint(light, masks[k]), 0 * light, 0 * light))
)
row = {"the print": restoration.sepia(light)}
for title, one in (
    ("colored as it is", light),
    ("repaired first", repaired),
    ("unharmed", L[k]),
):
    row[title] = paint(one[None, None].float(), colors(gray_rgb(one[None])))[0]
row["the photo"] = photos[k]
titles = [
    f"{title}\nchroma {mean_chroma(rgb_to_lab(rgb)[None, 1:]).item():.0f}"
    for title, rgb in row.items()
]
show(
    pictures(list(row.values()), titles, 5, 1.55),
    alt="Five pictures of a cup of coffee: a faded brown print with white scratches; "
    "colored as it is, too red, pale, with the scratches; repaired first; the "
    "network's colors on the unharmed photo, which look the same; the photo.",
    caption="Damage is repaired in L, before the network. A network cannot know that a "
    "white line is not part of the scene.",
)

# %% [markdown]
# - Fading, scratches and grain move the colors by 6 to 26 units. The network's own errors are of that size (9 to 30 in the first table).
# - A stretch undoes most of an even fading, but for the cat: the quantiles of its unharmed L are 8 and 69, so that the stretch makes another
#   picture of it, too. An uneven fading needs a stretch that changes from left to right; the same for all pixels brings back half at the
#   most, and for the cat it does harm.
# - Inpainting brings the scratches down to 1.5 units or less, if they are known. With those that were found it helps less, and the
#   astronaut is worse off than with her scratches: the finder takes rims, lights and stripes for scratches, more than half of what it
#   marks. **Look at a mask before you trust it.**
# - That the damaged coffee has the redder saucer is luck: red was not repaired away, it was never known.
#
# Left out: a 16-bit scan keeps its shades after a strong stretch where 8 bits leave gaps, and our reader takes it as it is. A black-and-white
# negative must be inverted first, by `1 - rgb`; nothing in this library tells one from a photo.
#
# ## 2. Failures, by five known kinds
#
# Larsson, Maire and Shakhnarovich (2016, Figure 20) sort their failures and name "the five most common failure cases". The names are
# theirs, the numbers ours, in `colorize.failures`; each compares with the true colors:
#
# | kind | what one sees | our number | right |
# |---|---|---|---|
# | too desaturated | "the whole image lacks saturation" | mean chroma, over the true one | 1 |
# | inconsistent chroma | parts of a thing are gray | share of colored pixels (true chroma above 20) painted with less than 8 | 0 |
# | inconsistent hue | "unnatural color shifts" | of those colored in both, share whose hue is off by more than 90° | 0 |
# | edge pollution | wrong colors around the edge of the picture | mean error in the outer tenth minus that inside, ab units | 0 |
# | color bleeding | a color boundary "is not clearly separated" | color change at the 5 % of places where the true color is steepest, over the true change | 1 |
#
# Others meet the same: Agrawal and Sawhney show red blotches (their Figure 8), the KTH students colored spots in the background.
#
# **Predict.** Our network was trained with rebalancing. Which of the five will it hardly have, and which on every photo?

# %%
best = colors(photos)
numbers = failures.measure(best, true_ab)
print(f"{'':22}" + "".join(f"{name:>11}" for name in short_names))
for key, kind in failures.NAMES.items():
    print(f"{kind:22}" + "".join(f"{x:11.2f}" for x in numbers[key]))

# %% jupyter={"source_hidden": true}
worst = {}
for key, values in numbers.items():
    most = values.argmin() if key in ("saturation", "boundary") else values.argmax()
    kind = f"{failures.NAMES[key]} {values[most]:.2f}"
    worst.setdefault(most.item(), []).append(kind)
shown, titles = [], []
for k, kinds in worst.items():
    for words, ab in (("\n".join(kinds), best[[k]]), ("the truth", true_ab[[k]])):
        shown.append(paint(L[[k]][:, None], ab)[0])
        titles.append(f"{words}\nchroma {mean_chroma(ab).item():.0f}")
fig = pictures(shown, titles, 6, 1.5)
for ax in fig.axes:
    ax.title.set_fontsize(7.5)
show(
    fig,
    alt="Three photos, each in the network's colors and in its own. The rocket: its "
    "night sky is blackish with blue and red patches, in truth dark blue. The coffee: "
    "a dull gray-brown saucer, in truth red. The motorcycle: all brown, in truth a red "
    "tank before a gray room.",
    caption="For each kind of failure the photo on which our network does it most. One "
    "of them has three.",
)

# %% [markdown]
# The rocket has three of them: of the colored pixels of its blue sky two thirds came out gray, and of the rest a third has a hue of the other
# side. Elsewhere hues are right as a rule, and the edge of the picture is hardly worse than its middle; the coffee's by 4.5 units.
# Rebalancing has not cured dullness, saturation goes both ways: the coffee has half its chroma, the motorcycle three quarters too much,
# since its gray room turns brown. **Bleeding is everywhere**: across a boundary colors change by 16 to 29 % of what they should. Our network
# answers at 64 x 64 pixels and takes the mean of many colors; and a red tank that was painted as brown as the wall has no boundary left.
#
# ## 3. Your own folder, from start to end
#
# Ours is made on the spot, in a temporary folder: crops of four of the five photos, as if somebody had walked around them with a camera. The
# fifth, the motorcycle, stays out. There are also a gray photo and a small copy of another one, as in every real folder.

# %%
folder = tempfile.TemporaryDirectory()  # it goes when the kernel ends
home = Path(folder.name)
album = home / "album"
album.mkdir()
random = np.random.default_rng(0)
for name in ("astronaut", "chelsea", "coffee", "rocket"):
    whole = images.resize(images.bundled(name), 160)
    for k in range(size["crops"]):
        y, x = (int(random.integers(side - 95)) for side in whole.shape[1:])
        images.save(whole[:, y : y + 96, x : x + 96], album / f"{name}-{k:02}.jpg")
copy = images.read(album / "coffee-07.jpg")
images.save(images.resize(copy, 70), album / "espresso.jpg", quality=60)
images.save(to_gray(images.bundled("stereo_motorcycle", 96)), album / "old.jpg")
files = datasets.photo_files(album)
gray = [path.name for path in files if datasets.is_gray(images.read(path)[None])]
print(f"{len(files)} photos; gray, and set aside by the training: {gray}")

# %% [markdown]
# **Which photos may be judged by?** The validation split goes by the file's name: about one in ten. A name knows nothing of the picture. If
# `coffee-07.jpg` is held out and its copy `espresso.jpg` is trained on, the network has seen the answer.
#
# Copies are found by a **hash** that survives a new size and a new JPEG: reduce the photo to 8 rows of 9 gray pixels; a bit says whether a
# pixel is darker than its neighbor to the right, 64 bits in all. Copies differ in a few bits; we allow 6.
#
# **Predict.** In how many of 64 bits do two photos differ that have nothing to do with each other?
#
# ### Exercise 13.2 · Twice the same photo
# ●●○○○ · 8 minutes
#
# From the reduced pictures, return for each pair the number of bits that differ.
#
# <details><summary>Hint 1</summary><code>gray[:, :, :-1]</code> are the pixels that have a neighbor to the right, and <code>gray[:, :,
# 1:]</code> are the neighbors.</details>
# <details><summary>Hint 2</summary>With bits (N, 64): <code>bits[:, None] != bits[None]</code> is (N, N, 64).</details>


# %%
@check("13.2")
def bits_apart(gray):
    """Gray pictures (N, 8, 9) -> numbers of bits (N, N), whole numbers."""
    # BEGIN SOLUTION
    bits = (gray[:, :, :-1] < gray[:, :, 1:]).flatten(1)
    return (bits[:, None] != bits[None]).sum(dim=2)
    # END SOLUTION


# %%
reduced = torch.stack([duplicates.small_gray(images.read(path)) for path in files])
apart = bits_apart(reduced)
pairs = apart[torch.triu(torch.ones_like(apart), diagonal=1) == 1].float()
print(f"{len(pairs)} pairs; bits that differ: median {pairs.median():.0f}")
for pair in duplicates.near_duplicates(files):
    where = "across the split" if pair.across else "on one side"
    print(f"{pair.first.name} and {pair.second.name}: {pair.bits} bits, {where}")

# %% [markdown]
# Two strangers differ in about half of the bits, as coins would. The copy is found, across the split; so are a few crops of the rocket that
# nearly coincide. The copy and the gray photo go. Then the recipe: a text file, copied from one of `data/recipes/` and changed. Ours goes
# on from the network `first` instead of beginning anew, and asks for plain classification. **One line decides what it learns**: with `loss
# = "l2"` it would be lesson 3.

# %%
for name in ("espresso.jpg", "old.jpg"):
    (album / name).unlink()
recipe_file = home / "album.toml"
recipe_file.write_text(f"""\
loss = "classification"   # the line to change: "l2", "rebalanced", ...
start = "first"           # go on from a shipped network
temperature = 1.0
view = 64
measured = 64

[[phases]]
size = {size["crop"]}
steps = {size["steps"]}
batch_size = 8
learning_rate = 1e-3
""")
recipe = recipes.load(recipe_file)
phase = recipe.phases[0]
data = recipes.make_data(recipe, phase, album)
loss = recipes.make_loss(recipe, data)
held = datasets.photo_files(album, "validation")
print(
    f"{len(data.parts[0])} to train on; held out: {', '.join(path.stem for path in held)}"
)

# %% [markdown]
# The training itself. In the middle we press Ctrl-C: `raise_signal` does in a notebook what the key does in a terminal. The same call goes
# on from the checkpoint.


# %%
def press_ctrl_c(history):
    if len(history.losses) == phase.steps // 2:
        signal.raise_signal(signal.SIGINT)


def train_album():
    network = recipes.make_network(recipe)
    plan = (phase.steps, phase.batch_size, phase.learning_rate)
    half = {"report": press_ctrl_c, "report_every": phase.steps // 2}
    at = {"checkpoint": home / "album.pt", "progress": False}
    return network, training.fit(network, data, loss, *plan, **half, **at)


# %% tags=["trained"]
train_album()
network, history = train_album()
quarter = phase.steps // 4
first, last = (
    sum(x) / quarter for x in (history.losses[:quarter], history.losses[-quarter:])
)
print(f"loss, first quarter {first:.2f}, last quarter {last:.2f}")
assert last < first, "it must have learned"

# %% [markdown]
# From the command line all of this is one call, which also writes log, curve and sample pictures:
#
# ```
# colorize train --recipe album.toml --data album -o runs
# ```
#
# **Predict.** Is the network better now? Before you look: what do the held-out crops show that the training crops do not?


# %%
held_out = torch.stack([images.read(path) for path in held])
whole = images.resize(images.bundled("stereo_motorcycle"), 160)
corners = [(y, x) for y in (0, 64) for x in (0, 60)]
never_seen = torch.stack([whole[:, y : y + 96, x : x + 96] for y, x in corners])

# %% tags=["trained"]
print("off, ab units        before    after")
for words, crops in (("held out by name", held_out), ("a photo never seen", never_seen)):
    truth = rgb_to_lab(crops)[:, 1:]
    now = [Colorizer.load("first"), Colorizer(network, recipe.view)]
    off = [distance(colors(crops, each), truth) for each in now]
    print(f"{words:20}{off[0]:7.1f}{off[1]:9.1f}")

# %% [markdown]
# The held-out crops say: a triumph. The photo never seen says: nothing gained. Both were "never trained on". But a held-out crop shows the
# same saucer, the same fur as its neighbors in the training set. The network has learned four photos by heart, and the name of a file did
# not know that.
#
# **Split by what was photographed**, not by file: by the roll of film, the day, the building. The hash is no help here: of the crops of one
# photo it finds only those that nearly coincide.
#
# ### To share it
#
# `export` measures the network on the held-out photos and writes one file, with recipe, results and a checksum inside, and a card beside
# it. Add to the card whose photos it was trained on, and under which license.

# %%
path = train.export("album", recipe, network, history.seconds, data, album, home)
print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB; {path.with_suffix('.md').name}")

# %% [markdown]
# And a stranger's file? A `.pt` of PyTorch is a pickle, and to load a pickle can run any program in it, unless `torch.load` is held to
# `weights_only`. Our files are safetensors, numbers and text alone. **Predict** what a single changed byte does.

# %%
damaged = bytearray(path.read_bytes())
damaged[-100] ^= 1
(home / "stranger.safetensors").write_bytes(damaged)
try:
    Colorizer.load(home / "stranger.safetensors")
except weights.WeightsError as error:
    print("refused: it", str(error).split("stranger.safetensors ")[1])

# %% [markdown]
# (The checksum guards against accidents. Who changes a file on purpose can change the checksum, too: against that, compare it with one from
# a place you trust.)
#
# ## 4. More machines
#
# The recipe `modern` has batches of 512: on 8 GPUs 64 pictures for each. Every process computes the gradient of its share; the mean of the
# eight is what all use, and so all stay the same network:
#
# ```
# # one machine, 8 GPUs
# torchrun --nproc-per-node 8 -m colorize train --recipe modern --data photos
# # on each of 4 machines
# torchrun --nnodes 4 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint HOST:29500 \
#     -m colorize train --recipe modern --data photos
# ```
#
# **Predict.** Is the mean of two halves' gradients the gradient of the whole batch? And with batch norm in the network?
#
# <details><summary>Answer</summary>Yes, if the loss is a mean over pictures: then a mean of means is the mean. Not with batch norm, which
# looks at the other pictures of its own share. On GPUs <code>colorize.parallel</code> exchanges it for one that looks at all
# shares.</details>
#
# The arithmetic: 1.3 million photos and a batch of 40 are 32,500 steps for an epoch; a batch of 1,280, 32 times 40, makes it 1,016. With so
# few steps the learning rate must rise: in proportion, after a warm-up (Goyal et al. 2017, for SGD); with Adam people often take the root,
# here 5.7. Both are rules of thumb. And 32 GPUs are not 32 times as fast, since all wait for the slowest, and for the disks.
#
# What we ran: two processes on one CPU, in the tests; they end with the same weights as one, but for live batch norm. **Several GPUs,
# several machines: not run**; there was none.
#
# ## 5. A moving window
#
# Color a film frame by frame, and things change their color while you look. It needs no film to see that: a window of 128 pixels moves over
# one photo, 8 pixels a frame. Nothing in the scene moves. The network sees in each frame a little less on the left and a little more on the
# right.
#
# **Predict.** How far does the color of one point move from one frame to the next: 0, 1, 5 or 20 units?

# %%
STEP = size["move"]  # pixels the window moves from frame to frame
films = {}
for name in ("rocket", "coffee", "chelsea"):
    whole = images.resize(images.bundled(name), 128)[None]
    frames = consistency.pan(whole[0], 128, STEP)  # (T, 3, 128, 128)
    films[name] = {
        "frames": frames,
        "truth": rgb_to_lab(frames)[:, 1:],
        "by frame": colors(frames),
        "whole": consistency.pan(colors(whole)[0], 128, STEP),
    }
print({name: len(film["frames"]) for name, film in films.items()}, "frames")

# %% [markdown]
# ### Exercise 13.3 · How much it flickers
# ●●○○○ · 6 minutes
#
# The window has moved `step` pixels to the right between two frames. Return the mean distance, in ab units, between the colors of the
# points that both show.
#
# <details><summary>Hint 1</summary>What stands in column 0 of the second frame stood in column <code>step</code> of the first.</details>
# <details><summary>Hint 2</summary><code>first[..., step:]</code> without the columns that have left, the second without those that are
# new. Then <code>.norm(dim=0).mean()</code>.</details>


# %%
@check("13.3")
def flicker(first, second, step):
    """ab of two frames, (2, H, W) each, and the step in pixels -> one number."""
    # BEGIN SOLUTION
    width = first.shape[2]
    return (first[..., step:] - second[..., : width - step]).norm(dim=0).mean()
    # END SOLUTION


# %%
def mean_flicker(ab):
    each = [float(flicker(*pair, STEP)) for pair in pairwise(ab)]
    return sum(each) / len(each)


for film in films.values():
    film["mean of 3"] = consistency.averaged(film["by frame"], STEP, 1)
    film["mean of 5"] = consistency.averaged(film["by frame"], STEP, 2)
WAYS = ("truth", "by frame", "mean of 3", "mean of 5", "whole")
print("flicker / off" + "".join(f"{way:>13}" for way in WAYS))
for name, film in films.items():
    cells = (
        f"{mean_flicker(film[w]):.1f} / {distance(film[w], film['truth']):.1f}"
        for w in WAYS
    )
    print(f"{name[:13]:13}" + "".join(f"{cell:>13}" for cell in cells))

# %% [markdown]
# By frame, a point's color moves 2.1 to 5.5 units at each step, and nothing had moved.
#
# Two remedies. **Average each point over neighboring frames**: flicker falls to a half or less with three frames, to a third or less with
# five. The price: a frame must wait for later ones, and one must know where each point went. Here that is 8 pixels for all of them; in a
# film it is the optical flow, which fails where things cover each other. **Color the whole once** and cut the frames out: no flicker at
# all, but a film has no whole. Neither makes the colors right: averages change the error by 0.2 at the most, the whole is better for the
# rocket and worse for coffee and cat. A film without flicker can be wrong all the way through.

# %%
film = films["rocket"]
light = rgb_to_lab(film["frames"])[:, :1]
painted = {way: paint(light, film[way]) for way in ("by frame", "whole")}


def frame(number):
    """What the slider shows: the frame by itself, and the same part of the whole."""
    sides = [painted[way][number] for way in painted]
    texts = [f"{mean_chroma(film[way][[number]]).item():.1f}" for way in painted]
    words = f"window at {STEP * number} px, chroma {texts[0]} by frame, {texts[1]} whole"
    return torch.cat(sides, dim=2), words


slider = ipywidgets.IntSlider(0, min=0, max=len(light) - 1, description="frame")
slider_demo(
    frame, slider, "pan", "Left colored by frame, right cut out of the whole", 400
)

# %% jupyter={"source_hidden": true}
chosen = [len(light) * j // 4 - j // 4 for j in (0, 1, 2, 4)]
fig, axes = panels(2, 4, (1.7, 1.95))
for row, way in enumerate(painted):
    for j, number in enumerate(chosen):
        chroma = mean_chroma(film[way][[number]]).item()
        picture(
            axes[4 * row + j],
            painted[way][number],
            f"{way}, {number}: chroma {chroma:.0f}",
        )
        axes[4 * row + j].title.set_fontsize(8)
show(
    fig,
    alt="Four frames of a window that pans over a rocket at night. Colored by frame "
    "the sky turns from orange and blue to green and then to red patches; cut out of "
    "the whole, each patch of color stays where it is in the scene.",
    caption="Above, the sky takes another color as the window moves. Below, its patches "
    "move with the towers: as wrong, but steady.",
)

# %% [markdown]
# ### Which colors, how often
#
# To follow each point one must know where it goes. **Color distribution consistency** (CDC, reported for the video method TCVC and used in
# the challenge NTIRE 2023) asks less: how alike are the *histograms* of two frames, 1, 2 and 4 apart? Alike is measured by the
# **Jensen-Shannon divergence**. With $m = (p + q) / 2$, the mean of the two histograms,
#
# $$ \mathrm{JS}(p, q) = \tfrac12 \mathrm{KL}(p \Vert m) + \tfrac12 \mathrm{KL}(q \Vert m), \qquad
# \mathrm{KL}(p \Vert m) = \sum_k p_k \ln \frac{p_k}{m_k}, \quad 0 \ln 0 = 0. $$
#
# **Predict.** What is it for two histograms that share no color? And is the CDC of the *true* film 0?
#
# ### Exercise 13.4 · Two histograms
# ●●○○○ · 8 minutes
#
# Return the Jensen-Shannon divergence along the last dimension, in nats.
#
# <details><summary>Hint 1</summary>$m_k$ is 0 only where both are: the trouble is $\ln 0$, not a division.
# <code>torch.special.entr(x)</code> is $-x \ln x$, and 0 at 0.</details>
# <details><summary>Hint 2</summary>Write out the logarithm of the quotient: JS is the entropy of m minus the mean of the entropies of p and
# q.</details>


# %%
@check("13.4")
def divergence(p, q):
    """Histograms (..., K) and (..., K), each sums to 1 -> (...)."""
    # BEGIN SOLUTION
    entropy = torch.special.entr
    middle = (p + q) / 2
    return (entropy(middle) - (entropy(p) + entropy(q)) / 2).sum(dim=-1)
    # END SOLUTION


# %%
def cdc(rgb):
    """Frames (T, 3, H, W) -> mean over gaps of 1, 2, 4, channels and pairs."""
    bars = consistency.histograms(rgb)  # (T, 3, 256)
    means = [divergence(bars[gap:], bars[:-gap]).mean() for gap in (1, 2, 4)]
    return torch.stack(means).mean().item()


print("CDC x 1000   " + "".join(f"{way:>11}" for way in WAYS))
for name, film in films.items():
    light = rgb_to_lab(film["frames"])[:, :1]
    cells = (f"{1000 * cdc(paint(light, film[way])):.1f}" for way in WAYS)
    print(f"{name[:13]:13}" + "".join(f"{cell:>11}" for cell in cells))

# %% [markdown]
# ($\ln 2 = 0.693$ is the most.) The true film is not 0: new things come into view. By frame the CDC is 1.7 to 3 times that of the true
# film. The whole, which cannot flicker, lies above the truth for the rocket and below it for the others. A measure of histograms cannot
# tell a new thing from a new color: compare it with the CDC of the true film, never with 0.
#
# ## 6. After 2016
#
# What came after the papers of this course. "Reported" means that we repeat others and have run none of it.
#
# | idea | systems | reported |
# |---|---|---|
# | a person gives hints | Zhang et al. 2017: color points as a second input, 529 classes, the whole grid | PSNR rises with the number of hints |
# | things first, then the picture | InstColorization (2020): a detector, each thing colored, then merged | PSNR, SSIM, LPIPS |
# | adversarial restoration | DeOldify (2018-19): a U-Net on a pretrained ResNet, a short phase with a discriminator | stable film versions |
# | transformers | ColTran (2021), CT2 (2022; the 313 colors come back as tokens), ColorFormer, iColoriT | FID |
# | generators that know the world | with a pretrained GAN (2021, BigColor 2022); diffusion (Palette, Control-Color, ...) | FID, people's votes |
# | color queries | DDColor (2023): 100 learned colors that look at the picture | FID 3.92, colorfulness 38.26 on 5,000 photos of ImageNet; a user, with another group's programs: 3.78 and 34.33 |
#
# What survived: bins of ab with soft targets, weights against the prior's gray (now a loss on colorfulness), and L that is kept while ab is
# predicted small and enlarged.
#
# ### How it is judged
#
# - **Colorfulness** (lesson 8), and how far it is from the truth's, **delta-colorfulness**: high alone rewards what is too vivid.
# - **FID**, the Fréchet Inception distance: not picture by picture, but *set against set*. Each picture becomes a vector of features; each
#   set of vectors a cloud, with a mean $m$ and a covariance $C$; and two clouds have the distance
#
# $$ d^2 = \lVert m_1 - m_2 \rVert^2 + \mathrm{tr}\,(C_1 + C_2) - 2\, \mathrm{tr}\, \sqrt{R\, C_2\, R}, \qquad R = \sqrt{C_1}. $$
#
# A root of a matrix is one whose square it is; `root` computes it. If both clouds have the same form, all but the first term cancels.
#
# **Predict.** One feature, equal means, standard deviations 1 and 3. What is $d^2$?
#
# ### Exercise 13.5 · Two clouds of features
# ●●●○○ · 10 minutes
#
# Return $d^2$. `root(C)`, imported above, is the root of a symmetric matrix.
#
# <details><summary>Hint 1</summary><code>R = root(cov1)</code>, then the root of <code>R @ cov2 @ R</code>, and its
# <code>trace()</code>.</details>
# <details><summary>Hint 2</summary>By hand, for one feature: $1 + 9 - 2 \sqrt{1 \cdot 9}$. Check the first case: a shift of (3, 4) alone is
# 25.</details>


# %%
@check("13.5")
def clouds_apart(mean1, cov1, mean2, cov2):
    """Means (D,), covariances (D, D) of two clouds -> the squared distance."""
    # BEGIN SOLUTION
    half = root(cov1)
    between = root(half @ cov2 @ half).trace()
    return (mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * between
    # END SOLUTION


# %% [markdown]
# (One feature: $(3 - 1)^2 = 4$.) Our features are the 160 numbers before the last layer of our own `classifier`, which knows the ten
# classes of CIFAR-10. **They are not Inception's, and no number here can be compared with one of a paper.** On the toy world we know what
# must come out: two sets of scenes from the same world have a true distance of 0.
#
# **Predict.** So what does the measure say about two sets of 20 scenes? Of 1,000?

# %%
judge = recognition.load()
world = ToyWorld(32)


def cloud(rgb):
    """Pictures (N, 3, 32, 32) -> moments of their features."""
    with torch.inference_mode():
        vectors = [judge.network.features(x) for x in rgb.split(100)]
    return frechet.moments(torch.cat(vectors))


def between(a, b):
    return float(clouds_apart(a.mean, a.covariance, b.mean, b.covariance))


one, two = (world.batch(size["toys"], seed)[0] for seed in (1, 2))
for n in (20, 50, 100, 200, 500, 1000):
    if n <= size["toys"]:
        print(f"{n:5} scenes in each set: {between(cloud(one[:n]), cloud(two[:n])):.3f}")

# %% [markdown]
# The distance of nothing from nothing: with few pictures far from 0, since few vectors span a thin cloud in 160 dimensions, and two thin
# clouds point in different directions. It falls roughly as $1 / n$. **A Fréchet distance belongs to a number of pictures**, and to a size,
# a crop, and a file format.
#
# Three ways to color the same toy scenes: the *mean* of each palette (the best answer to L2), the likeliest color, and *another draw* from
# the palette, as likely as the truth and often wrong. **Predict**: which is nearest to the truth, picture by picture? Which, set against
# set?

# %%
count = size["toys"] // 2
scenes = world.scenes(count, seed=3)
light = scenes.lightness[:, None]
sets = {
    "true": scenes.rgb(),
    "another draw": world.batch(count, 3, color_seed=77)[0],
    "mean": paint(light, world.mean_ab(scenes.kind)),
    "likeliest": paint(light, mode(world.posterior(scenes.kind).log())),
    "gray": paint(light, torch.zeros_like(scenes.ab)),
    "1.5 x the chroma": paint(light, 1.5 * scenes.ab),
}
reference = cloud(world.batch(count, 9)[0])  # other scenes
truth = colorfulness(sets["true"]).mean()
print(f"{'':18}off, ab   set against set   colorfulness minus the truth's")
for name, rgb in sets.items():
    off = distance(rgb_to_lab(rgb)[:, 1:], scenes.ab)
    delta = colorfulness(rgb).mean() - truth
    print(f"{name:18}{off:7.1f}{between(cloud(rgb), reference):18.3f}{delta:18.1f}")

# %% [markdown]
# Picture by picture the mean wins over another draw, 4.5 to 4.7: it is made for that (lesson 3). Set against set it is about four times as
# far from the true world, for no apple there is brown; another draw is as near as the true pictures themselves, 0.06, which is about the
# distance of nothing from nothing for 500. **The two questions have different winners, and both are right.** One asks: did you hit *this*
# picture? The other: could your pictures come from this world? And the second does not notice a red apple that was green. Colorfulness
# tells the direction (the mean too dull, 1.5 times the chroma too vivid) and is blind to where the color is.
#
# ## 7. What a colored photo claims
#
# A colored photo is a **guess**. The gray picture does not hold the color of a uniform, of a flag, of somebody's eyes or skin, and a
# network fills in what was usual in its training photos. Whom these photos show, and whom they leave out, decides who is painted as whom.
# So the past looks more usual than it was. And the picture looks like a document.
#
# Three habits:
# 1. **Say so, in the file and beside it.** The command writes it into the metadata.
# 2. **Keep the gray original**, unchanged, and show it, too. The command never overwrites it.
# 3. **Ask those who know** (uniforms, paints, families) and give their answers as strokes (lesson 12). Then say which colors are known.

# %%
source = home / "grandmother.jpg"
images.save(restoration.sepia(L[NAMES.index("astronaut")]), source)
jobs, _ = batch.plan([source], home / "colorized")
report = batch.colorize_files(colorizer, jobs, T)
with Image.open(report.colored[0].target) as saved:
    print(saved.getexif().get_ifd(0x8769)[0x9213])  # EXIF's ImageHistory

# %% [markdown]
# To discuss, with no answers from us: A museum hangs the colored picture, with a sentence beside it. Who reads the sentence? Suppose a
# network paints skin lighter than it was. Is that an error like a wrong car? May one color the photo of a person who cannot be asked? Of a
# crime?
#
# ## All systems of this course
#
# Side by side, on the same 97 photos that none was trained on, from `data/results/systems.json`:

# %%
systems = read_results("systems")
print(f"{systems['command']}: {systems['photos']} photos")
print(f"{'':28}raw AuC  rebalanced   PSNR  chroma  colorfulness")
for name, entry in systems["rows"].items():
    n = entry["numbers"]
    psnr = "exact" if name == "truth" else f"{n['psnr']:.1f}"
    print(f"{name:28}{n['raw_auc']:7.1f}{n['rebalanced_auc']:12.1f}{psnr:>7}", end="")
    print(f"{n['chroma']:8.1f}{n['colorfulness']:14.1f}")

# %% [markdown]
# But for the truth no row is best in all columns. What is nearest in raw AuC and PSNR is dull; `best` leads in rebalanced AuC and comes
# close to the truth's colorfulness, 38.4 to 41.8, and pays for both in raw AuC. Which one you want depends on what the picture is for.
#
# ## What the papers say, what we measured
#
# | | papers | exact | this lesson |
# |---|---|---|---|
# | usual failures | five kinds (Larsson et al. 2016, Figure 20) | 1, 0, 0, 0, 1 | rocket 0.40, 0.69, 0.35, -0.40, 0.26 |
# | old photographs | pictures, no numbers (the same, Figure 15) | 0, if nothing is harmed | scratches move colors by 6 to 24 units, inpainted by 1.5 at the most |
# | a point's color from frame to frame | | 0 | 2.1 to 5.5 units by frame, 0 for the whole |
# | CDC, times 1000 | reported for videos, other films | the true film: 9.2 (rocket) | by frame 28.0, whole 12.5 |
# | distance of two sets | FID with Inception's features, about 4 reported for DDColor | 0 for two sets of one world | 1.1 with 20 scenes each, 0.03 with 1,000; other features |
# | several GPUs and machines | one GPU (KTH: a V100) | the same weights as one process | two processes on a CPU; GPUs not run |
#
# **Take away**
# 1. Repair the gray picture before the network sees it, and know what each repair is worth. The network takes damage for scenery.
# 2. A number is only as honest as its split and its set. Relatives on both sides, few pictures, another crop: each makes it lie.
# 3. A colored photo is a guess that looks like a document. Say so, keep the original, ask those who know.
#
# **Where to go from here.** Train `zhang2016` or `modern` on a large collection with a GPU (lesson 7). Replace a readout, a prior or a
# loss, and put your network into the table above with `make systems`. Read one of the systems of section 6 and find its bins, its prior and
# its L.
#
# ## Questions
#
# <details><summary>You color an album, and every face comes out orange. Which of the five kinds is it, and where do you look
# first?</summary>None of the five alone: all hues agree. Look at L first (a stretch that went too far, a print that was never made gray),
# then at the temperature, then at the training photos: what did faces look like there?</details>
# <details><summary>Your validation error falls to a third after a short training on your own folder. What do you check?</summary>Whether
# the held-out photos have relatives among the training photos: copies by the hash, the same places and days by name. Then measure on photos
# of another day.</details>
# <details><summary>Method A has a FID of 12 on 500 pictures, B of 9 on 5,000. Which is better?</summary>Nobody knows. Fewer pictures give a
# larger distance by chance alone, as with the 20 scenes. Measure both on the same pictures.</details>
# <details><summary>Why does the average over frames not bring the colors nearer to the truth?</summary>The errors of neighboring frames are
# not independent: all of them come from the same network looking at nearly the same picture. What they share stays.</details>

# %%
check.scorecard()
