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
# # Lesson 8 · How good is it?
#
# **Two colorings of one photo: which is better, and who says so?**
#
# So far this course has reported numbers for its networks. Here you build these measures, one by one, and find out what each
# sees and what it is blind to. Then you ask two other judges: a person, and a network that names what is in a picture.
#
# After this lesson you can
# - compute AuC, rebalanced AuC and PSNR by hand, and say why two papers' numbers can differ for the same picture;
# - say whether a difference between two networks is real or due to the choice of photos;
# - run a real-or-fake study, and report it with its uncertainty;
# - say how recoloring helps a classifier, and what it makes it confuse;
# - probe what a network has learned without being told.
#
# | to read and solve | to run | needs |
# |---|---|---|
# | 100 minutes, 6 exercises | under a minute; nothing is trained | CPU only, no download |
#
# You should know the readouts of lesson 6; lessons 3 to 5 help. How exercises work: replace the line
# `raise NotImplementedError` by your answer and run the cell. Whatever the badge says, you can go on. Cells that only draw
# are folded; a click on the three dots opens them.

# %%
import torch

from colorize import images, metrics, recognition, study
from colorize.bins import nearest_bin
from colorize.check import check
from colorize.colorizer import Colorizer
from colorize.decode import paint
from colorize.evaluation import predict
from colorize.figures import name_row, panels, picture, pictures, show
from colorize.files import read_results
from colorize.lab import rgb_to_lab, to_gray
from colorize.prior import color_prior
from colorize.streaming import Accuracy
from colorize.study_demo import study_demo
from colorize.toyworld import ToyWorld

# %% [markdown]
# ## 1. Which is better?
#
# A toy scene with one apple, which is red. Half of the apples of the toy world are red, half are green, and the gray picture
# does not tell which. Take two colorings of it. In A the apple is green. In B it is brown, halfway between red and green. All
# else is right in both.

# %%
world = ToyWorld(128)
scene = world.scenes(1, seed=82)
is_apple = scene.kind == world.kinds.index("apple")  # (1, 128, 128)
red, green = world.palette("apple").colors.float()  # of apples, (2,) each
brown = world.palette("apple").mean().float()
names = {"green, A": green, "brown, B": brown}
guesses = {
    name: torch.where(is_apple, color.view(1, 2, 1, 1), scene.ab)
    for name, color in names.items()
}


# %% jupyter={"source_hidden": true}
def cut(x):
    """The square of 64 pixels around the apple."""
    return x[..., 64:, 64:]


lightness, truth = cut(scene.lightness)[:, None], cut(scene.ab)
true_rgb = cut(scene.rgb())
painted = {name: paint(lightness, cut(ab)) for name, ab in guesses.items()}
show(
    pictures(
        [true_rgb[0], *(rgb[0] for rgb in painted.values())],
        ["the true one: red apple", "A: green apple", "B: brown apple"],
        3,
        2.4,
    ),
    alt="Three times the same toy scene with an apple on grass. The apple is red in the "
    "first, green in the second and brown in the third.",
    caption="The truth, and two colorings of it. A is wrong, and could be true. B is "
    "less wrong, and no apple looks like it.",
)

# %% [markdown]
# **Predict.** Which of the two would you rather have made? Which is nearer to the truth? How many of eight measures will prefer
# A?

# %%
prior = color_prior(truth)  # (313,), counted in this picture
rare = (1 / prior)[nearest_bin(truth)]  # (1, 64, 64)
measures = {
    "raw AuC, %": lambda ab, rgb: 100 * metrics.auc(ab, truth),
    "rebalanced AuC, %": lambda ab, rgb: 100 * metrics.auc(ab, truth, rare),
    "PSNR, dB": lambda ab, rgb: metrics.psnr(rgb, true_rgb).item(),
    "same of 10 bins, %": lambda ab, rgb: 100 * metrics.bin_accuracy(ab, truth, 10),
    "distance, ab": lambda ab, rgb: metrics.frobenius(ab, truth).item(),
    "RMSE, alpha-beta": lambda ab, rgb: metrics.rmse_alpha_beta(rgb, true_rgb),
    "chroma": lambda ab, rgb: metrics.mean_chroma(ab).item(),
    "colorfulness": lambda ab, rgb: metrics.colorfulness(rgb).item(),
}

# %% jupyter={"source_hidden": true}
print("measure                 truth   A, green   B, brown   nearer to the truth")
for name, measure in measures.items():
    exact = measure(truth, true_rgb)  # infinite for PSNR: any number is as far from it
    pairs = zip(guesses.values(), painted.values(), strict=True)
    a, b = (measure(cut(ab), rgb) for ab, rgb in pairs)
    goal = exact if exact < float("inf") else metrics.PSNR_CAP
    gap = abs(a - goal) - abs(b - goal)
    verdict = "neither" if abs(gap) < 1e-3 else "A" if gap < 0 else "B"
    print(f"{name:20}{exact:9.2f}{a:11.2f}{b:11.2f}   {verdict}")

# %% [markdown]
# Six prefer B, among them all that measure a distance. They must: brown lies in the middle between red and green, so it is half
# as far away. The count of bins cannot tell the two apart, because both miss the bin of red. Only chroma prefers A, and it does
# not compare pixels: a blue apple, if as vivid, would have pleased it as well.
#
# Is it only this scene? Below, 200 scenes. In *plausible* every thing gets a color drawn anew from its palette, as the true one
# was; in *dull* it gets the mean of its palette. The last line compares no pixels, but how frequent each color is in all scenes
# together (0: as in the truth).

# %%
closeness = read_results("closeness")["rows"]
print("                 plausible    dull   the truth itself")
for key, name in (
    ("raw_auc", "raw AuC"),
    ("rebalanced_auc", "rebalanced AuC"),
    ("psnr", "PSNR, dB"),
    ("bin_accuracy", "same of 10 bins"),
    ("chroma", "chroma"),
    ("set_distance", "off as a set"),
):
    a, b, exact = (closeness[row][key] for row in ("plausible", "dull", "truth"))
    print(f"{name:17}{a:9.3f}{b:9.3f}{exact:11.3f}")

# %% [markdown]
# Both AuC and the PSNR still prefer the dull coloring. The count of bins now prefers the plausible one, because a color that is
# drawn anew often hits; and so do the two that compare no pixels. As a *set*, the plausible scenes are as colorful as the true
# ones. (The truth itself gets 0.997, since a trip to RGB and back changes its last digits, a miss at the threshold 0 of section
# 2. The 58.923 dB are the cap of section 4.)
#
# **Closeness to the truth is not quality.** Larsson et al. write it of their own measures: they "can penalize reasonable, but
# incorrect, color guesses" more than "jarring artifacts". Agrawal and Sawhney: a guess can be far from the truth and "still be
# more realistic" than one that is nearer. Both papers, and most others, report distances all the same: a machine computes them
# in a second. So first learn what they say, then ask somebody who knows apples.
#
# ## 2. AuC: how many pixels are near enough?
#
# How far off is one pixel? The **distance** of two colors is $\sqrt{\Delta a^2 + \Delta b^2}$, in ab units, where $\Delta a$
# and $\Delta b$ are their differences in a and b. Near enough means: not above a threshold $t$. Which $t$? For each of 0, 1, 2,
# ..., 150, count the share of pixels within $t$. That makes a rising curve. Its area, divided by the largest possible area, is
# the **AuC**, "area under the curve" (Zhang et al. 2016). Only perfect colors have AuC 1.
#
# Here are the distances of ten pixels. **Predict.** Where does the curve start, at $t = 0$? Which share lies within 10 units?

# %%
ten = torch.tensor([0.0, 2, 3, 5, 8, 8, 15, 30, 60, 170])

# %% [markdown]
# ### Exercise 8.1 · The area under the curve
# ●●○○○ · 8 minutes
#
# Return the curve at 151 thresholds, and its area. Between two thresholds the curve counts as a straight line (trapezoids). The
# area is a share of the largest possible one, 150.
#
# <details><summary>Hint 1</summary>Compare all distances with all thresholds at once: a column and a row give a table. Which
# mean of the table is the curve?</details>
# <details><summary>Hint 2</summary><code>distance[:, None] &lt;= torch.arange(151)</code> is (M, 151). Its mean over dimension 0,
# as floats, is the curve. <code>torch.trapezoid</code> gives the area.</details>


# %%
@check("8.1")
def auc_by_hand(distance):
    """Distances (M,) in ab units -> curve (151,), area as a share of 150."""
    # BEGIN SOLUTION
    within = distance[:, None] <= torch.arange(151)  # (M, 151)
    curve = within.float().mean(dim=0)
    return curve, torch.trapezoid(curve) / 150
    # END SOLUTION


# %%
curve, area = auc_by_hand(ten)
for t in (0, 10, 150):
    print(f"within {t:3}: {curve[t]:.0%}")
print(f"AuC         {area:.3f}")
offsets = torch.stack((ten, 0 * ten)).view(1, 2, 1, 10)  # a is off, b is right
print(f"metrics.auc: {metrics.auc(offsets, 0 * offsets):.3f}")

# %% jupyter={"source_hidden": true}
fig, (ax,) = panels(1, 1, (5.4, 3.0))
ax.fill_between(range(151), curve, color="0.85", label=f"area: {area:.3f} of 1")
ax.plot(range(151), curve, color="black")
ax.plot(ten.clamp(max=150), torch.full((10,), 0.02), "|", color="black", markersize=10)
ax.set(xlim=(0, 150), ylim=(0, 1.02), xlabel="threshold t (ab units)")
ax.set(ylabel="share of pixels within t")
ax.legend(frameon=False, loc="lower right")
show(
    fig,
    alt="A curve that starts at 0.1, jumps to 0.6 by 8 units, then climbs in three more "
    "steps to 0.9. The area below is gray. Ten ticks on the axis mark the pixels.",
    caption="The expected figure of exercise 8.1. Each pixel lifts the curve by a tenth, "
    "at its distance (ticks). The one that is 170 units off never comes in.",
)

# %% [markdown]
# Each pixel lifts the curve to the right of its distance $d$, and so adds about $(150 - d) / 150$ to the area. **Predict.**
# What is $1 - (\text{mean distance}) / 150$ for the ten pixels?

# %%
print(f"1 - mean / 150 = {1 - ten.clamp(max=150).mean() / 150:.3f}, AuC {area:.3f}")

# %% [markdown]
# The same, except for the rounding to whole thresholds. AuC is a mean distance in disguise, in which no pixel counts as more
# than 150 units off.
#
# Now photos: the five of this course, squares of 256 pixels. `gray` predicts a = b = 0. `random` gives each photo the colors of
# another one, `constant` gives all pixels the mean color of the five. `l2` and `best` are networks of this course; `best` is
# read out at T = 1, for which it was made.
#
# **Predict.** AuC of gray: 10 %, 50 %, or 80 %? Which comes last?

# %%
photos = torch.stack(
    [images.square(images.bundled(name), 256) for name in images.BUNDLED]
)  # (5, 3, 256, 256)
true_ab = rgb_to_lab(photos)[:, 1:]
mean_color = true_ab.mean(dim=(0, 2, 3)).view(1, 2, 1, 1)
answers = {
    "gray": torch.zeros_like(true_ab),
    "random": true_ab.roll(1, dims=0),
    "constant": mean_color.expand_as(true_ab),
    "l2": predict(Colorizer.load("l2"), photos, (1.0,))[1.0],
    "best": predict(Colorizer.load("best"), photos, (1.0,))[1.0],
}

# %%
raw_curves = {}
print("             AuC   mean distance")
for name, ab in answers.items():
    accuracy = Accuracy()  # counts pixels by distance, photo after photo
    accuracy.update(ab, true_ab)
    raw_curves[name] = accuracy.curve()
    off = (ab - true_ab).norm(dim=1).mean()
    print(f"{name:10}{accuracy.auc():6.1%}{off:12.1f} ab units")

# %% jupyter={"source_hidden": true}
styles = (("-", "0.6"), (":", "C3"), ("-.", "C2"), ("--", "C0"), ("-", "black"))
fig, (ax,) = panels(1, 1, (5.6, 3.4))
for (name, values), (style, color) in zip(raw_curves.items(), styles, strict=True):
    ax.plot(range(151), values, style, color=color, label=name)
ax.set(xlim=(0, 100), ylim=(0, 1.02), xlabel="threshold t (ab units)")
ax.set(ylabel="share of pixels within t")
ax.legend(frameon=False, loc="lower right")
show(
    fig,
    alt="Five curves that rise from near 0 to 1. Four are close to 1 from 75 units on. "
    "Gray is highest up to 9 units, l2 from 10 to 31, best from 32 to 49; from 5 units "
    "on random is the lowest.",
    caption="Error curves on the five photos, up to 100 units. Areas under curves that "
    "look so different differ by a few percent.",
)

# %% [markdown]
# Gray scores above 80 %. On photos of ImageNet it scores 89 %, as Zhang et al. report: 11 points are left for all that color
# can do. Why so much? The distance of gray from the truth *is* the chroma of the photo. How much of the 150 units do photos
# use?

# %%
chroma = true_ab.norm(dim=1)  # (5, 256, 256)
for name, values in zip(images.BUNDLED, chroma, strict=True):
    print(f"{name:18} mean chroma {values.mean():4.1f}", end=", ")
    print(f"{(values <= 20).float().mean():4.0%} of the pixels below 20")

# %% [markdown]
# Even the coffee, vivid as it is, uses 44 of 150. The mean over the five is 25.6, and 1 - 25.6 / 150 = 0.83. They are vivid
# photos: 89 % on ImageNet means a mean chroma of about 16.5. So the AuC depends on the photos as much as on the network.
# *Numbers from different photos cannot be compared.*
#
# ## 3. Rebalanced AuC: let the rare colors count
#
# Raw AuC is mostly about walls and skies. In the **rebalanced AuC** the weight of a pixel is one over the share of its true
# color's bin, among the 313 of lesson 2. Then every bin that occurs counts the same as a whole. There is no lambda, unlike in
# lesson 5: this is a score, and no network learns from it.
#
# **Predict.** The bin of red occurs once among 1,000 pixels, that of gray 300 times. How much does a red pixel weigh, compared to a
# gray one?
#
# ### Exercise 8.2 · What a pixel weighs
# ●●○○○ · 6 minutes
#
# `bin_number` holds the bin of each pixel of N photos. Return the weight of each pixel: one over the share of its bin among
# *all* pixels of all photos. (A common factor does not matter.)
#
# <details><summary>Hint 1</summary>You have counted bins in exercise 5.1: <code>torch.bincount</code> of the flattened
# numbers.</details>
# <details><summary>Hint 2</summary>A table with 313 entries, looked up with the bin numbers: <code>table[bin_number]</code> has the
# shape of the photos. Some entries may be infinite; no pixel looks them up.</details>


# %%
@check("8.2")
def rarity(bin_number):
    """Bins (N, H, W), whole numbers from 0 to 312 -> weights (N, H, W)."""
    # BEGIN SOLUTION
    count = torch.bincount(bin_number.flatten(), minlength=313)
    share = count / count.sum()
    return (1 / share)[bin_number]
    # END SOLUTION


# %% [markdown]
# A red pixel weighs 300 times as much. Now the same five answers again. **Predict**: which gain, which lose?

# %%
weight = rarity(nearest_bin(true_ab))  # (5, 256, 256)
print("             raw   rebalanced AuC")
for name, ab in answers.items():
    raw, fair = metrics.auc(ab, true_ab), metrics.auc(ab, true_ab, weight)
    print(f"{name:10}{raw:6.1%}{fair:17.1%}")

# %% [markdown]
# All lose, `best` the least: it was trained with rebalancing, and is now well ahead of `l2`. The constant color, which looks at
# nothing at all, is ahead of `l2`, too: half of the 98 bins that occur in these five photos lie between red and yellow, and so
# does the mean color, which this baseline takes from the truth.
#
# ### One prediction, six scores
#
# "AuC" is not one number. Papers and published code differ in three points:
#
# - **the area**: trapezoids; or the mean of the 151 values; or the mean of 16 values, at t = 0, 10, ..., 150 (KTH's code);
# - **the weights**: the shares counted over the whole set; or made to sum to 1 in each photo, so that each photo counts the same
#   (KTH's code);
# - **the photos** themselves, and their size.
#
# **Predict.** By how much can such a choice move a score: 0.1 points, 1 point, 10 points?

# %%
ways = {
    "raw, trapezoids": {},
    "raw, mean of 151 values": {"rule": "mean"},
    "raw, mean of 16 values": {"rule": "mean", "step": 10},
    "rebalanced, trapezoids": {"weight": weight},
    "rebalanced, photo by photo": {"weight": weight, "per_photo": True},
    "rebalanced, photo by photo, 16": {
        "weight": weight,
        "per_photo": True,
        "rule": "mean",
        "step": 10,
    },
}
print(f"{'':30}" + "".join(f"{name:>10}" for name in answers))
for way, settings in ways.items():
    found = [metrics.auc(ab, true_ab, **settings) for ab in answers.values()]
    print(f"{way:30}" + "".join(f"{score:10.1%}" for score in found))

# %% [markdown]
# For the same predictions the score moves by two or three points; and `best` is only three points of raw AuC above `gray`.
# Compare within a row, never from row to row. Not every paper names its row.
#
# Which row did Zhang et al. take? Gray needs no network, so anybody with photos of ImageNet can find out. We took the color
# photos of a small sample of ImageNet, squares of 256 pixels.

# %%
on_imagenet = read_results("gray_imagenet")
published = {"raw AuC": "89.1 (Zhang et al.)", "rebalanced AuC": "58.0 (Zhang et al.)"}
head = f"gray on {on_imagenet['photos']} photos of ImageNet"
print(f"{head:50}{'ours':>6}   published")
for name, value in on_imagenet["numbers"].items():
    if "AuC" in name:
        print(f"{name:50}{value:6.2f}   {published.get(name, '')}")

# %% [markdown]
# Trapezoids, pooled over the whole set, come within 0.4 points of the published numbers, raw and rebalanced. The rest of the
# gap may be due to the photos; theirs were the last 10,000 of the validation set. Every other definition is farther off, "photo
# by photo" by 16 points and more. KTH's 68.3 % for gray, on photos of fruit and vegetables and by another definition, says
# nothing about this 58.0 %.

# %% [markdown]
# ## 4. PSNR and RMSE: distances of red, green and blue
#
# Other papers leave ab and compare the finished pictures. The **PSNR**, peak signal-to-noise ratio, is the mean squared error
# (MSE) of red, green and blue on a logarithmic scale, in decibels (dB): $-10 \log_{10} \text{MSE}$, for values from 0 to 1. A
# tenth of the MSE is 10 dB more. Values from 0 to 255 must be divided by 255 first.
#
# A perfect picture has no error, and its PSNR is infinite. One such picture makes every mean infinite, so values need a cap.
# Ours is 58.92 dB: the PSNR if the only error is rounding to 8 bits, on average 1/12 of a squared step.
#
# ### Exercise 8.3 · PSNR
# ●●○○○ · 8 minutes
#
# Return the PSNR of each picture of a batch, at most `cap`. Both batches are floats from 0 to 1, or both are `torch.uint8`.
#
# <details><summary>Hint 1</summary>What is 3 - 5 in a tensor of type <code>torch.uint8</code>? Make floats first, then divide by
# 255 if the type was uint8.</details>
# <details><summary>Hint 2</summary>Square the difference, take its mean over <code>dim=(1, 2, 3)</code>, then -10 times
# <code>log10()</code>. <code>clamp(max=cap)</code> also turns infinity into the cap.</details>


# %%
@check("8.3")
def psnr(pred_rgb, true_rgb, cap=58.92):
    """Pictures (N, 3, H, W), floats in [0, 1] or uint8 -> dB (N,)."""
    # BEGIN SOLUTION
    peak = 255 if true_rgb.dtype == torch.uint8 else 1
    error = (pred_rgb.float() - true_rgb.float()) / peak
    mse = error.square().mean(dim=(1, 2, 3))
    return (-10 * mse.log10()).clamp(max=cap)
    # END SOLUTION


# %% [markdown]
# **Predict.** A set of six photos: our five, and one that was gray to begin with. What does the sixth do to the mean PSNR of
# `gray`?

# %%
L = rgb_to_lab(photos)[:, :1]
rgb_of = {name: paint(L, ab) for name, ab in answers.items()}
five = psnr(rgb_of["gray"], photos)
six = torch.cat((five, torch.tensor([58.92])))  # the sixth is exact
for name, values in (("five", five), ("six", six)):
    pooled = -10 * (10 ** (-values / 10)).mean().log10()  # of the mean MSE
    geometric = values.log().mean().exp()
    print(f"{name}: mean {values.mean():.1f} dB, geometric mean", end=" ")
    print(f"{geometric:.1f}, PSNR of the pooled error {pooled:.1f}")

# %% [markdown]
# It adds nearly seven decibels, and needs no color. The PSNR of the pooled error moves by less than one. Without the cap the
# two means would be infinite. Larsson et al. take the arithmetic mean, Cheng et al. the geometric one. So a PSNR means
# something only if you know how it was averaged, its cap, and whether the set holds gray photos.
#
# ### Why the vivid lose
#
# Take the colors of `best` and multiply a and b by a factor: 0 is gray, 1 is what the network says, 2 is twice as vivid.
# **Predict.** Which factor has the best PSNR, the best raw AuC, the best rebalanced AuC?

# %%
factors = [k / 10 for k in range(0, 21, 2)]
scaled = {"PSNR (dB)": [], "raw AuC (%)": [], "rebalanced AuC (%)": []}
for factor in factors:
    ab = factor * answers["best"]
    scaled["PSNR (dB)"].append(psnr(paint(L, ab), photos).mean().item())
    scaled["raw AuC (%)"].append(100 * metrics.auc(ab, true_ab))
    scaled["rebalanced AuC (%)"].append(100 * metrics.auc(ab, true_ab, weight))

# %% jupyter={"source_hidden": true}
fig, axes = panels(1, 3, (3.4, 2.8))
for ax, (name, values) in zip(axes, scaled.items(), strict=True):
    top = max(range(len(values)), key=values.__getitem__)
    ax.plot(factors, values, "o-", color="black", markersize=3)
    ax.plot(factors[top], values[top], "o", color="black", mfc="white", markersize=10)
    ax.axvline(1, color="0.7", linewidth=1)
    ax.set(title=f"best at {factors[top]:g}", xlabel="chroma, times", ylabel=name)
show(
    fig,
    alt="Three curves over the factor from 0 to 2, each with one hump. PSNR and raw AuC "
    "are highest at 0.8, rebalanced AuC at 1.6.",
    caption="The same answer, made duller or more vivid. The circle marks the highest "
    "score, the gray line the network as it is.",
)

# %%
for name, values in scaled.items():
    top = max(range(len(values)), key=values.__getitem__)
    print(f"{name:19} as it is {values[5]:5.1f}, highest {values[top]:5.1f}", end=" ")
    print(f"at {factors[top]:g}")

# %% [markdown]
# PSNR and raw AuC ask for less color than the network gives, the rebalanced AuC for more. It is the apple again: whoever is not
# sure errs less with less color. A network that is tuned for PSNR comes out dull.
#
# ### RMSE in alpha-beta
#
# Larsson et al. report an "RMSE" in a color space of its own, $\alpha = (B - (R + G) / 2) / L$, $\beta = (R - G) / L$, with $L$
# the mean of $R$, $G$, $B$ (plus 0.0001, so that it is never 0). Dividing by the lightness makes dark pixels count much. Their
# equation 10 prints the mean over pixels of $\sqrt{\|\cdot\|^2}$, which is the mean *distance*. The name says *root mean
# square*. And a third reading divides by $\sqrt 2$, for two components. **Predict**: do they differ by much?

# %%
print("              printed      root mean square   printed / sqrt(2)")
for name, rgb in rgb_of.items():
    printed = metrics.rmse_alpha_beta(rgb, photos)
    rms = metrics.rmse_alpha_beta(rgb, photos, "rms")
    print(f"{name:10}{printed:11.3f}{rms:19.3f}{printed / 2**0.5:18.3f}")

# %%
published = {"PSNR (dB)": "22.98", "RMSE alpha-beta, as printed": "0.343"}
print(f"{head:45}{'ours':>8}   Larsson et al.")
for name, value in on_imagenet["numbers"].items():
    if "AuC" not in name:
        print(f"{name:45}{value:8.3f}   {published.get(name, '')}")

# %% [markdown]
# Of the three readings, the third, over $\sqrt 2$, comes nearest to the published number; what the equation prints and what the
# name says are far off. We do not know which they took, nor how their photos were cut. The cure is not to guess: say how a
# score is computed, and give that of gray in the same table.
#
# ### Behind the mean
#
# Larsson et al. also draw all errors at once: the share of pixels below each error in alpha-beta (their Figure 7), and how many
# photos have which PSNR (Figure 8). Below, our 97 validation photos. Their mean PSNR is 22.1 dB for `gray`, 22.8 for `l2` and
# 20.7 for `best`.
#
# **Predict.** How many of the 97 reach 28 dB as `gray`? How many in the colors of `best`?

# %% jupyter={"source_hidden": true}
behind = read_results("curves")
fig, (left, right) = panels(1, 2, (4.8, 3.2))
looks = {"gray": ("-", "0.6"), "l2": ("--", "C0"), "best": ("-", "black")}
for name, (style, color) in looks.items():
    below, psnrs = (behind["rows"][name][key] for key in ("error below", "psnr"))
    steps = [k / 32 for k in range(33)]  # every 1/32
    left.plot(steps, below[:33], style, color=color, label=name)
    bars = [100 * share for share in psnrs[5:19]]  # of 2 dB each, 10 to 38 dB
    right.stairs(bars, range(10, 39, 2), linestyle=style, color=color, label=name)
    good = round(behind["photos"] * sum(psnrs[14:]))
    print(f"{name:5}{below[8]:4.0%} of the pixels within 1/4", end="; ")
    print(f"{good:2} of {behind['photos']} photos at 28 dB or more")
left.set(xlim=(0, 1), ylim=(0, 1), xlabel="error in alpha-beta")
left.set(ylabel="share of pixels below")
right.set(xlabel="PSNR (dB), steps of 2 dB", ylabel="photos (%)")
left.legend(frameon=False, loc="lower right")
right.legend(frameon=False, loc="upper right")
show(
    fig,
    alt="Left, three rising curves: gray is highest up to 0.25, l2 from there on, best "
    "is the lowest throughout. Right, three histograms in steps: gray runs from 12 to "
    "36 dB, l2 from 14 to 32, best from 14 to 28.",
    caption="Errors of all pixels, and PSNR of each photo: 97 validation photos.",
)

# %% [markdown]
# The means of `gray` and `best` are 1.4 decibels apart, and yet 12 photos of the one reach 28 dB, and none of the other. In a
# photo with hardly any color `gray` is nearly right, and every vivid color is an error. On the left `gray` is ahead up to 1/4,
# and `l2` from there on: it makes fewer large errors. `best` is behind at every distance. What it gets right among the rare
# colors neither panel shows.
#
# ### Hits in bins
#
# Agrawal and Sawhney count *hits*: the share of pixels whose color falls into the true bin, of 10, 30 or 50 equal bins for a
# and as many for b. With such networks they find 41.5, 27.8 and 18.9 %. Here a hit needs both a and b; lesson 4 counted them
# one by one, and had more.
#
# **Predict.** Take *one* prediction and count its hits with 10, 30 and 50 bins. And gray?

# %%
for name in ("gray", "l2", "best"):
    hits = [metrics.bin_accuracy(answers[name], true_ab, bins) for bins in (10, 30, 50)]
    print(f"{name:5}", "".join(f"{share:8.1%}" for share in hits))

# %% [markdown]
# As in lesson 4, the same prediction hits less often the smaller the bins are, and gray comes first: its bin is the fullest,
# and a color 15 units off can count as little as one 100 units off. The paper's three numbers do not tell which network is
# better.

# %% [markdown]
# ## 5. Is a difference real?
#
# A network scores 0.4 points more than another on 97 photos. On other photos it might score 0.1 less. How would one know,
# without other photos?
#
# The **bootstrap** treats the photos at hand as the whole world. Draw 97 of them at random, with replacement: some come twice,
# some not at all. Take the mean difference of this set. Do that 1,000 times. The middle 95 % of the 1,000 means are the
# **interval**. If it does not contain 0, the difference is hardly an accident.
#
# Two things to watch. Draw *photos*, not pixels: the 65,536 pixels of one photo are one sky and one meadow. And take the
# difference *photo by photo*, in **pairs**, before you average: a photo that is hard for one network is mostly hard for the
# other.
#
# ### Exercise 8.4 · Is a difference real?
# ●●●○○ · 10 minutes
#
# `one` and `other` are the scores of two methods on the same n photos. Each of the D rows of `drawn` holds the numbers of the
# photos of one draw. Return the interval: the quantiles 0.025 and 0.975 of the mean difference, one minus other.
#
# <details><summary>Hint 1</summary>Subtract first. <code>difference[drawn]</code> has the shape of <code>drawn</code>: each row is a
# set of photos.</details>
# <details><summary>Hint 2</summary>The mean over dimension 1 gives (D,) means. <code>means.quantile(0.025)</code> is the lower
# end.</details>


# %%
@check("8.4")
def interval(one, other, drawn):
    """Scores (n,) and (n,), numbers of photos (D, n) -> lower end, upper end."""
    # BEGIN SOLUTION
    means = (one - other)[drawn].mean(dim=1)  # (D,)
    return means.quantile(0.025), means.quantile(0.975)
    # END SOLUTION


# %% [markdown]
# In the toy world there are as many scenes as we like. Two methods: the mean of the palette (the optimum of L2), and the
# likeliest color of the palette. Each scene is scored by the mean distance of its pixels from the truth. **Predict**: which is
# nearer on average? Do 40 scenes suffice to tell?

# %%
small = ToyWorld(24)
many = small.scenes(4000, seed=81)
palettes = [small.palette(name) for name in small.kinds]
tables = {
    "mean": torch.stack([p.mean() for p in palettes]),
    "likeliest": torch.stack([p.colors[p.probabilities.argmax()] for p in palettes]),
}  # (14, 2) each
distances = {}
for name, table in tables.items():
    ab = table.float()[many.kind].movedim(-1, 1)  # (4000, 2, 24, 24)
    distances[name] = (ab - many.ab).norm(dim=1).mean(dim=(1, 2))  # (4000,)

# %%
generator = torch.Generator().manual_seed(0)
real = (distances["mean"] - distances["likeliest"]).mean()
print(f"mean minus likeliest, 4,000 scenes: {real:+.2f} ab units")
for n in (40, 400, 4000):
    drawn = torch.randint(n, (1000, n), generator=generator)
    ends = interval(distances["mean"][:n], distances["likeliest"][:n], drawn)
    print(f"{n:5} scenes: 95 % from {ends[0]:+.2f} to {ends[1]:+.2f}")

# %% [markdown]
# The likeliest color is nearer: of colors at 0.7 and 0.3 it misses only the rarer one. With 40 scenes nobody could have known:
# the interval contains 0.
#
# Are these really 95 %? Cut the 4,000 scenes into 100 sets of 40, and make an interval of each. **Predict**: how many of the
# 100 contain the real difference?

# %%
drawn = torch.randint(40, (1000, 40), generator=generator)
sets = zip(*(distances[name].view(100, 40) for name in tables), strict=True)
ends = [interval(one, other, drawn) for one, other in sets]
inside = sum(bool(low <= real <= high) for low, high in ends)
print(f"{inside} of 100 intervals contain the real difference")

# %% [markdown]
# About 95, as promised. And what is the pairing worth? Below, the same 400 scenes for both methods, drawn together or
# separately, as if two papers had measured on different scenes. **Predict**: how much wider is the second interval?

# %%
one, other = (distances[name][:400] for name in ("mean", "likeliest"))
drawn, again = (torch.randint(400, (1000, 400), generator=generator) for _ in range(2))
low, high = interval(one, other, drawn)
apart = one[drawn].mean(dim=1) - other[again].mean(dim=1)
print(f"paired:   {low:+.2f} to {high:+.2f}, width {high - low:.2f}")
low, high = apart.quantile(0.025), apart.quantile(0.975)
print(f"unpaired: {low:+.2f} to {high:+.2f}, width {high - low:.2f}")

# %% [markdown]
# 1.7 times as wide, and it contains 0. Pairing costs nothing; to halve an interval by measuring more takes four times the
# photos.
#
# ### Our networks, and the paper's
#
# **Predict.** On 97 validation photos, squares of 256 pixels: which of our networks will be above `l2` by raw AuC, which by
# rebalanced AuC? Which of these differences are real? (`l2_tuned` is the regression of lesson 5 that starts from `rebalanced`.
# Lesson 5 had squares of 128 pixels, hence other scores. In the second table a question mark says that the interval contains
# 0.)

# %%
compared = read_results("table")
print(f"{compared['photos']} photos", end=" " * 20)
print("raw AuC (95 %)          rebalanced AuC (95 %)")
for name, row in compared["rows"].items():
    if name == "truth":
        continue
    print(f"{name:26}", end="")
    for key in ("raw_auc", "rebalanced_auc"):
        ends = row.get("intervals", {}).get(key)
        words = f"({ends[0]:.1f} to {ends[1]:.1f})" if ends else ""
        print(f"{row['numbers'][key]:6.1f} {words:16}", end="  ")
    print()

# %%
print("minus l2, same photos         raw AuC (95 %)             rebalanced AuC (95 %)")
for name, row in compared["rows"].items():
    if "over l2" not in row:
        continue
    print(f"{name:26}", end="")
    for key in ("raw_auc", "rebalanced_auc"):
        gain, low, high = row["over l2"][key]
        words = "" if low > 0 or high < 0 else "?"
        print(f"{gain:+6.1f} ({low:+.1f} to {high:+.1f}) {words:2}", end="   ")
    print()

# %% jupyter={"source_hidden": true}
# Zhang et al. 2016, Table 1: raw and rebalanced AuC, minus those of their L2.
paper = {
    "gray": (89.1 - 91.2, 58.0 - 64.4),
    "random": (84.2 - 91.2, 57.3 - 64.4),
    "l2_tuned": (91.5 - 91.2, 66.2 - 64.4),
    "classification, T = 0.38": (91.6 - 91.2, 65.1 - 64.4),
    "rebalanced, T = 0.38": (89.5 - 91.2, 67.3 - 64.4),
}
order = [name for name, row in compared["rows"].items() if "over l2" in row][::-1]
fig, axes = panels(1, 2, (4.6, 3.6))
for k, (ax, key) in enumerate(zip(axes, ("raw_auc", "rebalanced_auc"), strict=True)):
    ax.axvline(0, color="0.7", linewidth=1)
    for y, name in enumerate(order):
        gain, low, high = compared["rows"][name]["over l2"][key]
        ax.plot((low, high), (y, y), color="black")
        ax.plot(gain, y, "o", color="black", markersize=4)
        if name in paper:
            ax.plot(paper[name][k], y, "x", color="C3", markersize=8)
    ax.set(title=key.replace("_auc", " AuC"), xlabel="points above l2")
    ax.set_yticks(range(len(order)), order if k == 0 else [""] * len(order))
show(
    fig,
    alt="Two plots of differences from l2 with bars. Raw AuC: the rebalanced networks "
    "lie 3 to 5 points below zero. Rebalanced AuC: they lie 2.5 to 3 points above. The "
    "crosses of the rebalanced network and of gray lie on the same sides.",
    caption="Dots and bars: ours, with paired 95 % intervals. Crosses: the paper's "
    "networks of the same kind, on 9,803 other photos. A bar that touches or crosses the "
    "line at 0 leaves open which of the two is ahead.",
)

# %% [markdown]
# By rebalanced AuC `best` is three points ahead of `l2`, and the paired interval, 1.8 to 4.5, says that this is no accident of the 97
# photos. The two single intervals, 58.6 to 69.1 and 61.5 to 72.6, would have hidden it. Whether `l2_tuned` is ahead remains
# open; the paper has +1.8. By raw AuC all that rebalances is behind, ours by more than the paper's, and below gray.
#
# The paper's Table 1 gives no intervals for its AuC. On 9,803 photos they would be about a tenth as wide as ours, since the
# width falls with the root of the number: $\sqrt{97 / 9803} = 0.1$. A bootstrap over photos knows only photos. It cannot say
# how the same network would score if it were trained again with another seed.
#
# ## 6. Real or fake?
#
# Now ask somebody who knows apples. In a **real-or-fake study** people are shown the true photo and the recolored one, and say
# which was recolored. The **fooling rate** is the share of answers that took the recolored one for the true one. If nobody can
# tell, it is 50 %.
#
# | study | protocol | fooled |
# |---|---|---|
# | Zhang et al. 2016 | pairs, one second each, then unlimited time; 40 people on Amazon Mechanical Turk, 40 pairs each after 10 for practice | 32.3 % |
# | KTH, section 5.3 | pairs, one second each, then unlimited time; 10 volunteers, 50 photos | 18.78 % |
# | Deep Koalarization, section 4.3 | one picture, "Fake or real?"; 41 people, 12 pictures, 9 of them recolored and chosen from the best | 45.87 % |
# | Agrawal & Sawhney, section 5.2 | one picture, original or not; six students | no number |
#
# **Question.** 45.87 % is more than 32.3 %. Is the third system better than the first?
# <details><summary>Answer</summary>Nobody knows. With one picture there is nothing to compare with, so that the answer "real"
# comes easily; we do not learn how often the true pictures were called real. And the nine were chosen by hand, as the authors
# say. A rate belongs to its protocol.</details>
#
# Now you. Below are parts of the five photos, each in its true colors and in those of `best` or of `l2`. The two pictures of a
# pair are shown one after the other, a second each. Two trials are practice. Then you see your own rate. (AdverSuc, in the last
# column, is Agrawal and Sawhney's: the share of all answers that were wrong; in pairs it equals the fooling rate.) Your answers
# are written to the folder `study_answers` beside this notebook, and go nowhere else. (You know these five photos by now, so
# you are harder to fool than a stranger: ask one.)

# %%
names_of, squares = study.bundled_squares(256)  # 12 parts of the five photos
recolored = {
    "best": predict(Colorizer.load("best"), squares, (1.0,))[1.0],
    "l2": predict(Colorizer.load("l2"), squares, (1.0,))[1.0],
}
L_of = rgb_to_lab(squares)[:, :1]
recolored = {name: paint(L_of, ab) for name, ab in recolored.items()}
study_demo(squares, recolored, names=names_of)

# %% [markdown]
# How many answers does a rate need before one can trust it? If in 40 trials nobody was fooled, the true rate need not be 0.
# With $k$ of $n$ answers fooled, the textbook's $\hat p \pm z \sqrt{\hat p (1 - \hat p) / n}$, with $\hat p = k / n$, has no
# width at all for $k = 0$. **Wilson's interval** (1927) asks instead: for which rates $p$ would $k / n$ be no surprise? Those
# with $|k / n - p| \le z \sqrt{p (1 - p) / n}$. Solved for $p$:
#
# $$ \frac{k + z^2 / 2 \;\pm\; z \sqrt{k (n - k) / n + z^2 / 4}}{n + z^2}, \qquad z = 1.96 \text{ for } 95\ \%. $$
#
# ### Exercise 8.5 · How often was a person fooled?
# ●●○○○ · 8 minutes
#
# Each trial is practice or not, and fooled the person or not. Return the fooling rate of the trials that count, and the two ends of
# Wilson's interval.
#
# <details><summary>Hint 1</summary>First throw out the practice trials: <code>fooled[~practice]</code>. What are k and
# n?</details>
# <details><summary>Hint 2</summary>Write k and n as plain numbers, <code>k = int(counted.sum())</code>; then the formula, with
# <code>** 0.5</code> for the root.</details>


# %%
@check("8.5")
def fooling(practice, fooled, z=1.96):
    """Two masks (T,) of True and False -> rate, lower end, upper end."""
    # BEGIN SOLUTION
    counted = fooled[~practice]
    n, k = len(counted), int(counted.sum())
    middle = k + z**2 / 2
    half = z * (k * (n - k) / n + z**2 / 4) ** 0.5
    return k / n, (middle - half) / (n + z**2), (middle + half) / (n + z**2)
    # END SOLUTION


# %% [markdown]
# **Predict.** Nobody fooled in 40 trials: how high can the true rate be? And how wide is the interval around a third, for 40
# answers, and for 1,600, which 40 people with 40 pairs each give?

# %%
for n in (12, 40, 1600):
    for k in (0, round(0.323 * n)):
        answers_of = torch.arange(n) < k
        rate, low, high = fooling(torch.zeros(n, dtype=torch.bool), answers_of)
        print(f"{k:4} of {n:4}: {rate:5.1%}, from {low:5.1%} to {high:5.1%}")

# %% [markdown]
# Twelve trials tell almost nothing; a whole class, with its files merged, tells something. The formula takes the answers as
# independent. They are not: some people see colors better than others. So the table below has a second interval, a bootstrap
# that draws *people*, as soon as there are two.

# %% tags=["no-compare"]
played = study.merge("study_answers")
rows = study.results(played, methods=recolored, protocol="pair")
for cells in study.cells(rows, published=True):
    _, method, people, given, rate, *ends = cells
    answers_of, people_of = (end.split(";")[0] for end in ends[:2])
    print(f"{method:30}{people:>8}{given:>9}   {rate:17}{answers_of:22}{people_of}")

# %% [markdown]
# This course comes without answers: nobody has been asked. The rows fill when you play.

# %% jupyter={"source_hidden": true}
shown = [0, 4, 6, 9]
fig, axes = panels(3, 4, (2.0, 2.25))
for row, (name, batch) in enumerate({"true": squares, **recolored}.items()):
    for j, k in enumerate(shown):
        c = metrics.mean_chroma(rgb_to_lab(batch[k : k + 1])[:, 1:]).item()
        picture(axes[4 * row + j], batch[k], f"chroma {c:.0f}")
    name_row(axes[4 * row], name)
show(
    fig,
    alt="Four parts of photos in three rows: true colors, colors of best, of l2. In "
    "those of best the background of the astronaut is orange, the red cup is brown and "
    "the blue night sky dark purple; those of l2 are nearly gray.",
    caption="Four of the twelve pictures of the study, for readers who cannot play it. "
    "Above each stands its mean chroma, in ab units.",
)

# %% [markdown]
# ## 7. Does color help a classifier?
#
# The other judge is a network that names what it sees. Zhang et al. showed photos to one that was trained on color photos
# (VGG-16): the right name came first for 68.3 % of the true photos, for 52.7 % of the gray ones, and for 56.0 % of those that
# their network had recolored. But the colorizer saw nothing but the gray picture. It cannot have *added* information about what
# is in it. How can it help?
#
# In the toy world this can be computed. The judge there sees only the color of a thing, in ab. It has learned from true colors,
# all kinds equally often, each color blurred by 5 ab units, and names the most probable kind. The colorizer sees the shape, but
# no color. It paints the mean of the palette (L2), the annealed mean at T = 0.38, or the mode, the likeliest color.
#
# **Predict.** How often is the judge right about gray things? About apples in true colors? Can a recolored apple be recognized
# *more often* than a true one?

# %%
ways = ("gray", "mean", "annealed", "mode", "true")
recall = {way: recognition.toy_recall(world, way) for way in ways}
print("          " + "".join(f"{way:>10}" for way in ways))
for k, kind in enumerate(world.kinds):
    print(f"{kind:10}" + "".join(f"{recall[way][k]:10.0%}" for way in ways))
print("all kinds " + "".join(f"{recall[way].mean():10.0%}" for way in ways))

# %% [markdown]
# - **Gray**: to this judge everything is a cloud, so it is right about clouds.
# - **Recolored by the mode**: 86 %. The gray picture showed that this is a roof; red paint made that *readable* to a judge of
#   color alone. Recoloring adds no information. It translates.
# - **Better than the truth**: one roof in ten is ocher, and in true colors the judge takes it for a plum. Painted by the mode,
#   every roof is red, as most roofs are, and every roof is recognized. The same happens to balloons: those in the colors of sky
#   and trunk are painted in another hue. (The apples' 100 % are an accident. Red and green are equally likely, so the mode is
#   the one that comes first among the bins, green, and the center of its bin looks a little less like grass than the true green
#   does. And the walls are lost by rounding to a bin: theirs is that of gray.)
# - **The mean** paints an apple brown, which the judge does not know. What section 1 found ugly is unreadable, too.
#
# And the two apples of section 1? What does this judge take them for?

# %%
judge = recognition.ToyJudge(world)
for name, color in {"red, the truth": red, **names}.items():
    probability = judge(color[None])[0]
    top = probability.topk(2).indices.tolist()
    words = ", ".join(f"{world.kinds[k]} {probability[k]:.0%}" for k in top)
    print(f"{name:15} {words}; apple: {probability[world.kinds.index('apple')]:.0%}")

# %% [markdown]
# Here A is far ahead: green may be grass or an apple; brown may be a plum or a roof, but no apple. This judge prefers A because
# it knows what apples look like; it need not know which color this one had.
#
# ### On photos
#
# The course has a small classifier of its own. It learned the ten classes of CIFAR-10, thumbnails of 32 x 32 pixels, always in
# their true colors. Here is what it says of one photo of this course, the cat.
#
# **Predict.** Which picture is it most certain about, which least?

# %%
sees = recognition.load()
cat = images.square(images.bundled("chelsea"), 32)[None]
shown_cats = {"true": cat, "gray": to_gray(cat)}
for name in ("l2", "best"):
    ab = predict(Colorizer.load(name), cat, (1.0,))[1.0]
    shown_cats[name] = paint(rgb_to_lab(cat)[:, :1], ab)
for name, shown_cat in shown_cats.items():
    probability, which = sees(shown_cat).softmax(dim=1)[0].topk(3)
    pairs = zip(which.tolist(), probability.tolist(), strict=True)
    print(f"{name:6}", ", ".join(f"{sees.classes[k]} {p:.0%}" for k, p in pairs))

# %% [markdown]
# True color helps. The colors of our networks harm here: with them it is less certain than without any. But one cat proves
# nothing. The same classifier has been shown 5,142 pictures that neither it nor any colorizer was trained on: true, gray, in
# the colors of *another* picture (`random`), and recolored by our networks.
#
# **Predict.** Order them: true, gray, random, `l2`, `best`.

# %%
seen = read_results("classifier")
print(f"{seen['photos']} pictures     right (95 %)              above gray (95 %)")
for name, row in seen["rows"].items():
    found = row["accuracy"]
    low, high = found["interval"]
    print(f"{name:15}{found['value']:8.1f} ({low:.1f} to {high:.1f})", end="")
    low, high = found["over gray, interval"]
    print(f"{found['over gray']:+14.1f} ({low:+.1f} to {high:+.1f})")

# %% [markdown]
# True color is worth 6.1 points here. `classification` gives 1.4 of them back and `l2` 1.1, and neither interval contains 0.
# For `l2_tuned` and for the vivid ones, `best` and `rebalanced`, nothing is proven: a vivid guess is readable when it is right,
# and just as readable when it is wrong. Wrong colors (`random`) are worse than none. In the paper, color is worth 15.6 points;
# their full network gives 3.3 back, and the one without rebalancing 3.9. There, too, rebalancing buys nothing with this judge.
#
# Which classes gain? **Predict**: which of airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck gains most
# from the colors of `best`, which least?

# %% jupyter={"source_hidden": true}
shown_as = seen["rows"]
gains = {
    name: shown_as["best"]["recall"][name] - shown_as["gray"]["recall"][name]
    for name in seen["classes"]
}
gains = dict(sorted(gains.items(), key=lambda pair: pair[1]))
fig, (ax,) = panels(1, 1, (6.4, 3.4))
bars = ax.barh(list(gains), list(gains.values()), color="0.6", edgecolor="black")
ends = {
    name: [shown_as[row]["recall"][name] for row in ("gray", "best")] for name in gains
}
words = [f"{b - a:+.1f} ({a:.0f} to {b:.0f})" for a, b in ends.values()]
ax.bar_label(bars, words, padding=3, fontsize=9)
ax.axvline(0, color="black", linewidth=1)
ax.set_xlim(-30, 26)
ax.set(xlabel="gain in right answers from gray to recolored by best (percentage points)")
show(
    fig,
    alt="Ten bars, sorted. Deer gain 13.4 percentage points, frogs 10.0, dogs 7.2, "
    "horses 4.2, trucks 0.6; ships lose 1.8, automobiles 2.4, birds 2.9, airplanes 6.7, "
    "cats 15.9.",
    caption="What recoloring by `best` changes for each class. In brackets the share of "
    "right answers, gray and recolored, in percent.",
)

# %% [markdown]
# Behind a mean of +0.6 stand deer with +13 and cats with -16. Why cats? A judge in doubt has a habit. The toy judge called
# every gray thing a cloud. This one says "cat": gray cats are named right more often (79 %) than cats in true colors (77 %),
# and section 8 shows many gray frogs called cats. Color weakens the habit, vivid color most.
#
# ## 8. What does recoloring confuse?
#
# An accuracy counts errors, but does not say which. A **confusion matrix** does: row $i$ holds the pictures of class $i$, column
# $j$ those that were called $j$. KTH and Zhang et al. make one for the true pictures and one for the recolored, and look at the
# difference off the diagonal: which wrong answers has recoloring made more frequent? (Among 1,000 classes they count the five
# likeliest answers to each picture. We have ten classes, and count the first.)
#
# ### Exercise 8.6 · What recoloring confuses
# ●●○○○ · 8 minutes
#
# From the counts of both, return how much more frequent each wrong answer has become, in percentage points of its row. Right
# answers, on the diagonal, get 0. Rows may have different sums.
#
# <details><summary>Hint 1</summary>Make percentages of each row first: divide by the row's sum. Only then
# subtract.</details>
# <details><summary>Hint 2</summary><code>counts.sum(dim=1, keepdim=True)</code> is a column. <code>fill_diagonal_(0)</code> on your own
# new tensor clears the diagonal.</details>


# %%
@check("8.6")
def added(recolored, true):
    """Counts (C, C) twice, whole numbers -> (C, C), percentage points."""
    # BEGIN SOLUTION
    before = 100 * true / true.sum(dim=1, keepdim=True)
    after = 100 * recolored / recolored.sum(dim=1, keepdim=True)
    return (after - before).fill_diagonal_(0)
    # END SOLUTION


# %% [markdown]
# Try it: the pictures in the colors of `best` against the true ones.

# %%
counts = {name: torch.tensor(row["confusion"]) for name, row in shown_as.items()}
extra = added(counts["best"], counts["true"])  # (10, 10)
off = (extra - recognition.added(counts["best"], counts["true"]).fill_diagonal_(0)).abs()
print(f"largest difference from recognition.added: {off.max():.0e}")
for name in ("gray", "best"):
    most = recognition.most_added(counts[name], counts["true"], seen["classes"])
    print(f"{name}: most added to what true colors have confused, percentage points")
    for k, (shown_class, answered, points) in enumerate(most, start=1):
        words = f"{shown_class} as {answered}"
        print(f"  {k}. {words:20}{points:+5.1f}")

# %% [markdown]
# The figure shows all 90 confusions, as KTH's Figure 5 does: each once, by how frequent it was in true colors and how frequent it is
# recolored. **Predict**: on which side of the diagonal do most points lie?

# %% jupyter={"source_hidden": true}
before, after = (recognition.shares(counts[name]) for name in ("true", "best"))
away = ~torch.eye(len(before), dtype=torch.bool)
limit = 1.08 * torch.maximum(before, after)[away].max().item()
fig, (ax,) = panels(1, 1, (5.2, 4.6))
ax.plot((0, limit), (0, limit), color="0.7", linewidth=1)
ax.plot(before[away], after[away], "o", color="black", mfc="white", markersize=5)
for k, (shown_class, answered, _) in enumerate(most):
    i, j = seen["classes"].index(shown_class), seen["classes"].index(answered)
    x, y = before[i, j].item(), after[i, j].item()
    ax.plot(x, y, "o", color="black", markersize=6)
    ax.annotate(str(k + 1), (x - 0.035 * limit, y + 0.01 * limit), fontsize=9)
    words = f"{k + 1}  {shown_class} as {answered}"
    ax.text(0.62 * limit, (0.3 - 0.055 * k) * limit, words, fontsize=9)
ax.set(xlim=(0, limit), ylim=(0, limit), aspect="equal")
ax.set(xlabel="in true colors (% of its class)")
ax.set(ylabel="recolored by best (% of its class)")
show(
    fig,
    alt="Ninety circles around the diagonal, most of them below 5 percent on both axes, "
    "two thirds above the diagonal. Five are filled and numbered; the highest is cat as "
    "dog, 10 percent in true colors and 15 recolored.",
    caption="Each circle is a confusion of two classes. Above the line: more frequent "
    "when recolored. Numbers: the five that grew most, as in the list.",
)
above = (after > before)[away].float().mean()
print(f"more frequent when recolored: {above:.0%} of the 90 confusions")

# %% [markdown]
# Two thirds of the confusions have become more frequent. Those that grew most are animals taken for other animals, as Zhang et
# al. find, too. They add: "An image of a 'minibus' is often colored yellow, leading to a misclassification as 'school bus'",
# although such a picture often looks real. KTH's largest case is a pair of classes that look alike, for which "a slight shift
# towards a 'greener' palette is enough". A believable color need not be the right one, and a judge believes it.
#
# ## 9. What has it learned besides?
#
# To color a frog one must know that it is one. So, Zhang et al. say, a network that has learned to color has learned to see,
# without labels. The test is a **linear probe**. Freeze the network. Take what one of its levels answers to a gray picture. Fit
# a linear classifier to that, and see how many new pictures it names right. If a plain linear rule suffices, the level has laid
# the classes out already.
#
# Compare with two others: the same network with *random* weights (what the architecture gives for nothing), and one that was
# trained on the *labels* (what can be reached).
#
# **Predict.** Ten classes of thumbnails; guessing gives 10 %. How many does a probe name right on the random network, on ours,
# on that with labels?

# %%
probed = read_results("features")
print(f"right of {probed['photos']:,} gray pictures, %; fitted on {probed['known']:,}")
for name, levels in probed["rows"].items():
    words = (f"{level} {row['accuracy']:.1f}" for level, row in levels.items())
    print(f"{name:15}", "  ".join(words))

# %% jupyter={"source_hidden": true}
looks = {
    "random": ("0.5", ":", "x"),
    "l2": ("C0", "--", "o"),
    "classification": ("C2", "-.", "s"),
    "rebalanced": ("C1", "--", "^"),
    "best": ("C3", "-", "v"),
    "labels": ("black", "-", "D"),
    "zhang_random": ("0.5", ":", "x"),
    "zhang_small": ("C4", "-", "o"),
}
fig, axes = panels(1, 2, (4.6, 3.6))
for name, (color, style, marker) in looks.items():
    levels = probed["rows"][name]
    ax = axes[int(name.startswith("zhang"))]
    right = [row["accuracy"] for row in levels.values()]
    ax.plot(list(levels), right, style, marker=marker, color=color, label=name)
pixels = probed["rows"]["pixels"]["L"]["accuracy"]
for ax, title in zip(axes, ("SmallNet", "ZhangNet, an eighth as wide"), strict=True):
    ax.axhline(pixels, color="0.7", linewidth=1, label="the pixels themselves")
    ax.set(title=title, xlabel="level", ylabel="named right (%)")
    ax.set_ylim(0, None)
    ax.legend(frameon=False, fontsize=8, loc="lower left", ncols=2)
show(
    fig,
    alt="Two plots of right answers against level. SmallNet: random falls from 50 to 24, "
    "labels rise from 54 to 79; the four colorizers lie between, highest at 1/4, with "
    "best at 62. ZhangNet: random falls from 41 to 17, zhang_small from 46 to 34 and 37.",
    caption="Linear probes of gray thumbnails. From left to right deeper levels: 1/4 is "
    "a quarter of the resolution. Guessing names 10 %.",
)

# %% [markdown]
# Each colorizer is above its random twin at every level, and the intervals (in the file) do not meet. The highest probes: 50 %
# on the random network, 62 % on `best`, 79 % on the one with labels. So our colorizers have learned something about what things
# are. `best` goes two fifths of the way from random weights to labels, `l2`, at 57 %, one fifth.
#
# The deeper levels disappoint: with labels they rise to the end, in a colorizer they fall. The skip connections of `SmallNet`,
# which spare its deep levels the details, may be a reason; but `zhang_small` has none and falls, too. We do not know. And it is
# a small test: ten classes of thumbnails, like those that the networks had colored in training, without labels. Zhang et al.
# did it with ImageNet.
#
# ## What the papers say, what we measured
#
# | | papers | exact | this lesson |
# |---|---|---|---|
# | raw AuC of gray | 89.1 % (Zhang et al. 2016, Table 1) | 1 - (mean chroma) / 150, but for rounding | 88.9 %, 782 photos of ImageNet |
# | rebalanced AuC of gray | 58.0 % (the same) | | 58.3 %, the same photos; 75.7 % if each photo counts the same |
# | rebalanced minus L2, rebalanced AuC | +2.9 points (the same) | | +2.5 (0.8 to 4.4), 97 photos, T = 0.38 |
# | rebalanced minus L2, raw AuC | -1.7 points (the same) | | -5.0 (-6.0 to -4.1) |
# | PSNR of gray | 22.98 dB (Larsson et al., Table 1) | | 22.57 dB, 782 other photos |
# | RMSE of gray in alpha-beta | 0.343 (the same) | | 0.452, 0.320 or 0.688, as one reads it |
# | hits with 10, 30, 50 bins | 41.5, 27.8, 18.9 % (Agrawal & Sawhney, Table 2) | | one prediction: 23.2, 3.9, 1.5 %; gray 34.8, 15.7, 9.0 %, five photos, a and b both right |
# | Frobenius distance | 11.27 to 18.67 (Agrawal & Sawhney, Table 1) | grows with the side of the picture | not comparable |
# | taken for real, pairs | 32.3 % (Zhang et al.), 18.78 % (KTH) | 50 % if nobody can tell | not run: play it |
# | named right: true, recolored, gray | 68.3, 56.0, 52.7 % (Zhang et al., Table 1, VGG-16); 92.1, 81.0, 46.4 % (KTH, Table 2, among five) | 87, 86, 7 % (toy world, mode) | 87.0, 81.6 (`best`) or 82.3 (`classification`), 81.0 % |
# | confusion that grew most | minibus as school bus is shown (Zhang et al., supplementary, Figure 3) | | bird as deer, +5.2 points |
# | probe: random, colorizer, labels | color above random, below labels (Zhang et al., section 3.2) | | 50, 62 (`best`), 79 % at the best level |
#
# Different photos, different networks: compare directions, not values, except in the first two rows.
#
# **Take away**
# 1. A distance prefers the dull to the plausible. Report one, but do not call it quality: that takes a person, or a judge that
#    knows the things.
# 2. A number belongs to its definition, its photos and its interval. Take the difference photo by photo, and resample photos.
# 3. Recoloring adds no information about what is in a picture. It can make readable what the colorizer has recognized, and
#    it makes the colorizer's errors believable, too.
#
# ## Questions
#
# <details><summary>A method has the raw AuC of gray, 88.9 %. Has it learned nothing?</summary>One cannot tell. It may paint
# nothing. Or it may paint vividly, and gain by right guesses as much as it loses by wrong ones. The mean chroma and the
# rebalanced AuC tell the two apart.</details>
# <details><summary>Two networks are compared on 10 photos and 655,360 pixels. How many independent observations is
# that?</summary> Ten, at most. Pixels of one photo are relatives. A bootstrap over pixels would give an interval up to 256
# times too narrow, the root of 65,536.</details>
# <details><summary>The intervals of two networks overlap. Are they equally good?</summary>Not necessarily. Each interval
# contains the differences between photos, which both networks share. The paired interval of the difference is narrower, as in
# section 5.</details>
# <details><summary>A study finds a fooling rate of 60 % in pairs. What does it mean?</summary>People took the recolored picture for the
# true one more often than by guessing. So they can tell the two apart, and prefer the recolored one: it may look more like
# what they expect than the truth does.</details>
# <details><summary>Why weight by the colors of the evaluated photos, and not by a prior counted elsewhere?</summary>A color
# that the prior has not seen would have an infinite weight (lesson 5, section 9), and one that it has hardly seen would decide
# the score alone. The price: a rebalanced AuC can be compared only within one set of photos.</details>

# %%
check.scorecard()
