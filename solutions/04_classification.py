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
# # Lesson 4 · Color as classification: the palette comes back
#
# **What should a network answer about a thing that may be red or green?**
#
# A network that must name one color names the mean, and the apple turns brown (lesson 3). Here it may answer with a probability
# for each of the 313 bins of lesson 2. You build the loss for such answers, and see what a network learns to say with it.
#
# After this lesson you can
# - turn scores into probabilities without overflow, and price them with a soft cross-entropy;
# - say what this loss converges to, and why that is not quite the palette;
# - check that a network's probabilities mean what they say;
# - tell what goes wrong when a and b are predicted apart, and why bin accuracies cannot be compared.
#
# | to read and solve | to run | needs |
# |---|---|---|
# | 90 minutes, 6 exercises | about 2 minutes | CPU only, no download |
#
# You should know the 313 bins and soft codes (lesson 2) and the toy world (lesson 3). How exercises work: replace the line
# `raise NotImplementedError` by your answer and run the cell. Whatever the badge says, you can go on. Cells that only draw are
# folded; a click on the three dots opens them.

# %%
import math

import torch
import torch.nn.functional as F

from colorize import decode, images, toyruns
from colorize.bins import gamut_bins, nearest_bin, soft_encode
from colorize.check import check
from colorize.colorizer import Colorizer
from colorize.figures import ab_plane, panels, picture, pictures, show, training_curve
from colorize.lab import rgb_to_lab
from colorize.losses import classification
from colorize.metrics import mean_chroma
from colorize.networks import SmallNet
from colorize.toyworld import ToyWorld, total_variation
from colorize.training import fit

# %% [markdown]
# ## 1. One color is not enough
#
# In the toy world an apple is red or green, with probability 1/2 each. Its gray picture does not tell which. Below: its
# palette, each color (a, b) with its probability, and the mean.

# %%
size = toyruns.size()
world = ToyWorld(size.scene)
apple = world.palette("apple")
print(apple)
print("mean:", apple.mean().tolist())

# %% [markdown]
# The mean is the best single answer under L2. It is brown, and no apple is brown.
#
# A list of probabilities can say more: *half red, half green, never brown*. The list of 313 bins has room for it.

# %%
centers = gamut_bins()  # (313, 2)
answer = apple.posterior()  # (313,): what an ideal network would say
for q in answer.nonzero().flatten():
    print(f"bin {q}, {centers[q].tolist()}: {answer[q]:.2f}")

# %% [markdown]
# From this answer you can still choose a color: the mean, the most likely, or one drawn at random. From the mean there is no
# way back to the two colors.
#
# ## 2. Scores become probabilities
#
# A network's last layer gives numbers of any size, here one for each bin: scores, called logits. Softmax turns them into
# probabilities. With the logit $z_q$ of bin $q$,
#
# $$ p_q = \frac{e^{z_q}}{\sum_j e^{z_j}}, \qquad \ln p_q = z_q - \ln \sum_j e^{z_j} . $$
#
# **Predict.** What does the left formula give in float32 for the logits 1000 and 1001? By how much should the second be
# likelier than the first?


# %%
def naive_softmax(logits):
    """The left formula, word for word."""
    return logits.exp() / logits.exp().sum(dim=1, keepdim=True)


for pair in ([0.0, 1.0], [1000.0, 1001.0]):
    probability = naive_softmax(torch.tensor([pair]))[0]
    print(pair, [round(p, 4) for p in probability.tolist()])
for x in (88.0, 89.0):
    print(f"exp({x:.0f}) in float32: {torch.tensor(x).exp():.1e}")

# %% [markdown]
# Only differences of logits count, so both pairs should give the same. But float32 ends between $e^{88}$ and $e^{89}$, and
# infinity divided by infinity is nan, "not a number". The way out: subtract the largest logit of the pixel from all of its
# logits first. That changes no probability, and the largest exponential becomes $e^0 = 1$.
#
# The loss will need $\ln p_q$, so compute that, by the right formula. (Why not the logarithm of a softmax? A probability below
# about $10^{-45}$ is 0 in float32, and its logarithm is minus infinity.)
#
# ### Exercise 4.1 · A softmax that survives
# ●●○○○ · 10 minutes
#
# Each row of `logits` is a pixel, one of M, each column a bin, one of Q. Return $\ln p_q$ for each of them. Write it out, with
# `exp`, `sum` and `log`.
#
# <details><summary>Hint 1</summary><code>logits.amax(dim=1, keepdim=True)</code> is the largest logit of each pixel, of
# shape (M, 1). Subtract it before anything else.</details>
# <details><summary>Hint 2</summary>With the shifted logits <code>s</code>: <code>s</code> minus the logarithm of the sum of
# <code>s.exp()</code> over the bins.</details>


# %%
@check("4.1")
def log_softmax(logits):
    """Logarithms of the softmax over the bins: (M, Q) -> (M, Q)."""
    # BEGIN SOLUTION
    shifted = logits - logits.amax(dim=1, keepdim=True)
    return shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    # END SOLUTION


# %%
for pair in ([0.0, 1.0], [1000.0, 1001.0], [-1001.0, -1000.0]):
    probability = log_softmax(torch.tensor([pair])).exp()
    print(pair, [round(p, 4) for p in probability[0].tolist()])

# %% [markdown]
# ## 3. The price of an answer
#
# You say how likely each bin is; then the color is revealed. You pay $-\ln p$, where $p$ is what you gave to its bin. Being
# sure and right costs nothing. Being sure and wrong costs a lot.

# %%
for p in (1.0, 0.5, 0.1, 1 / 313, 1e-6):
    print(f"probability {p:<9.2g} price {math.log(1 / p):.3f} nats")

# %% [markdown]
# A soft code names K = 5 bins with weights $w_k$ that sum to 1. Its price is the weighted sum:
#
# $$ \text{loss} = -\sum_{k=1}^{K} w_k \ln p_{q_k} $$
#
# $q_k$ is the number of the $k$-th bin of the code. This is Zhang's equation 2 for one pixel, without the weight for rare
# colors (lesson 5).
#
# ### Exercise 4.2 · The price of an answer
# ●●○○○ · 10 minutes
#
# Return the mean price over the M pixels, one number. Use your `log_softmax`.
#
# <details><summary>Hint 1</summary>You need the log-probabilities of K bins in each row, not of all Q. Look up
# <code>torch.gather</code>.</details>
# <details><summary>Hint 2</summary><code>log_p.gather(1, index)</code> has shape (M, K). Multiply by the weights, sum over K,
# take the mean, mind the sign.</details>


# %%
@check("4.2")
def soft_cross_entropy(logits, index, weight):
    """Mean price: logits (M, Q), index and weight (M, K) -> one number."""
    # BEGIN SOLUTION
    log_p = log_softmax(logits).gather(1, index)
    return -(weight * log_p).sum(dim=1).mean()
    # END SOLUTION


# %% [markdown]
# **Predict.** A network that knows nothing gives 1/313 to every bin. What does it pay? Does it matter which color comes?


# %%
def codes(palette):
    """Soft codes of a palette's colors: -> index, weight (k, 5)."""
    ab = palette.colors.float().T[None, :, :, None]  # (1, 2, k, 1)
    index, weight = (code[0, :, :, 0].T.contiguous() for code in soft_encode(ab))
    return index, weight


for kind in ("apple", "balloon", "sky"):
    index, weight = codes(world.palette(kind))
    ignorant = torch.zeros(len(index), 313)  # equal logits
    print(f"{kind:8} {soft_cross_entropy(ignorant, index, weight):.3f}")

# %% [markdown]
# ln 313 = 5.746, whatever comes. **A classification loss over 313 bins starts near 5.75.** If yours starts far from it, find
# out why before you train (section 8).
#
# ## 4. What the gradient says
#
# Training moves each logit against its gradient. For this loss the gradient has a short formula. Since the weights sum to 1,
#
# $$ \text{loss} = \ln \sum_j e^{z_j} - \sum_k w_k z_{q_k} . $$
#
# The derivative of the first part with respect to $z_q$ is $p_q$; that of the sum after the minus sign is $t_q$, the weight of
# bin $q$ in the code. It is 0 for the 308 bins that the code does not name. So
#
# $$ \frac{\partial\, \text{loss}}{\partial z_q} = p_q - t_q . $$
#
# *What you said, minus what came.*
#
# ### Exercise 4.3 · What the gradient says
# ●●○○○ · 10 minutes
#
# Return the gradient of each pixel's own loss (no mean over pixels), without automatic differentiation.
#
# <details><summary>Hint 1</summary>Start from the softmax of all bins. Only K entries of each row then change.</details>
# <details><summary>Hint 2</summary><code>scatter_add(1, index, values)</code> adds values at the places named by index. It
# returns a new tensor.</details>


# %%
@check("4.3")
def gradient(logits, index, weight):
    """Softmax minus code: logits (M, Q), index and weight (M, K) -> (M, Q)."""
    # BEGIN SOLUTION
    return log_softmax(logits).exp().scatter_add(1, index, -weight)
    # END SOLUTION


# %% [markdown]
# Does PyTorch's automatic differentiation agree?

# %%
index, weight = codes(apple)
logits = torch.randn(2, 313, generator=torch.Generator().manual_seed(0))
logits.requires_grad_()
(2 * soft_cross_entropy(logits, index, weight)).backward()  # 2 pixels: undo the mean
ours = gradient(logits.detach(), index, weight)
print(f"largest difference: {(ours - logits.grad).abs().max():.0e}")

# %% [markdown]
# Now look at many apples. Each red one pulls the red bins up, each green one the green bins. Where do they come to rest? Where
# the mean gradient is zero: **where the probabilities equal the mean of the codes.** To see it, take one set of 313 logits,
# show it apples, 64 at a time, and let your gradient move it.


# %%
def learn(palette, reduce=torch.mean, apples=64, rate=5.0, steps=600):
    """Descend with 313 free logits: -> logits (1, 313), the loss at each step."""
    (index, weight), p = codes(palette), palette.probabilities
    random = torch.Generator().manual_seed(0)
    logits, losses = torch.zeros(1, 313), []
    for _ in range(steps):
        drawn = p.multinomial(apples, replacement=True, generator=random)
        many = logits.expand(apples, -1)
        losses.append(soft_cross_entropy(many, index[drawn], weight[drawn]).item())
        step = reduce(gradient(many, index[drawn], weight[drawn]), dim=0)
        logits = logits - rate * step
    return logits, losses


# %%
logits, losses = learn(apple)
for step in (0, 10, 100, 599):
    print(f"step {step:3}: loss {losses[step]:.3f}")
print(f"least possible: {apple.cross_entropy_floor(soft=True):.3f}")

# %% [markdown]
# ## 5. The best answer there is
#
# The loss stops near 1.96, not at 0: nobody can know the color of the next apple. What is the best answer?
#
# ### Exercise 4.4 · The best answer there is
# ●●●○○ · 10 minutes
#
# A palette has k colors. Color $i$ has the probability $P_i$, and its code is row $i$ of `index` and `weight`. Return the mean
# of the codes: each weight times the probability of its color, added up bin by bin. There are `bins` bins.
#
# <details><summary>Hint 1</summary>Multiply each row of weights by its color's probability. Then add everything up, bin by
# bin. Two colors may share a bin.</details>
# <details><summary>Hint 2</summary><code>torch.zeros(bins).scatter_add(0, numbers, values)</code> takes two flat lists:
# flatten both.</details>


# %%
@check("4.4")
def best_answer(index, weight, probabilities, bins=313):
    """Mean code: index, weight (k, K), probabilities (k,) -> (bins,), sums to 1."""
    # BEGIN SOLUTION
    share = probabilities[:, None] * weight
    return torch.zeros(bins).scatter_add(0, index.flatten(), share.flatten())
    # END SOLUTION


# %% [markdown]
# How far from it is what the 313 free logits have learned? The *total variation* measures how far apart two distributions $p$
# and $p'$ are: half the sum of $|p_q - p'_q|$ over all bins. It is 0 if they are equal, 1 if they share no bin.
#
# **Predict.** Two candidates: the palette itself, with each color on its nearest bin, and the mean of the soft codes. Which of
# the two has the descent found? How far is it from the other?

# %%
best = best_answer(*codes(apple), apple.probabilities.float())
found = log_softmax(logits)[0].exp()
hard = apple.posterior().float()
print(f"from the mean of the soft codes: {total_variation(found, best):.2f}")
print(f"from the palette:                {total_variation(found, hard):.2f}")
print(f"between the two:                 {total_variation(best, hard):.2f}")

# %% [markdown]
# A network that learns from soft codes does not learn the palette. It learns the palette *blurred*, each color over its five
# bins. The palette itself would cost infinitely much: it gives the probability 0 to bins that the codes contain.

# %% jupyter={"source_hidden": true}
fig, axes = panels(2, 3, (3.5, 3.3))
for column, kind in enumerate(("apple", "plum", "balloon")):
    palette = world.palette(kind)
    for row, soft in enumerate((False, True)):
        ax, p = axes[3 * row + column], palette.posterior(soft=soft)
        used = p > 0
        ab_plane(
            ax, f"{kind}, {'soft codes' if soft else 'nearest bins'}", lightness=None
        )
        ax.plot(*centers.T, "+", color="0.85", markersize=4, zorder=0)
        ax.scatter(*centers[used].T, s=1500 * p[used], color="tab:blue", alpha=0.6)
        for (a, b), share in zip(centers[used].tolist(), p[used].tolist(), strict=True):
            if share > 0.04:
                ax.text(a, b, f"{share:.2f}"[1:], ha="center", va="center", fontsize=7)
        ax.set(xlim=(-55, 75), ylim=(-50, 65))
show(
    fig,
    alt="Six plots of the ab plane for apple, plum and balloon. Above, one circle for "
    "each color of the palette; below, each circle is spread over five bins.",
    caption="The exact best answers. Above: from the nearest bins, the palette itself. "
    "Below: from soft codes, what the loss of this lesson converges to. The area of a "
    "circle is a probability; those above 0.04 are written in. Plus signs: the bins; the "
    "line: the edge of all sRGB colors.",
)

# %%
print("kind      colors  between hard and soft  least loss: hard   soft")
for kind in world.kinds:
    palette = world.palette(kind)
    hard, soft = palette.posterior(), palette.posterior(soft=True)
    least = [palette.cross_entropy_floor(soft=soft) for soft in (False, True)]
    distance = total_variation(hard, soft)
    print(
        f"{kind:10}{len(palette.colors):5}{distance:18.2f}{least[0]:20.2f}{least[1]:7.2f}"
    )

# %% [markdown]
# The two best answers lie 0.39 to 0.49 apart, for every kind. So a network that has learned its task perfectly is far from the
# palette. Compare it with the mean of the soft codes.
#
# The last two columns say what nobody can avoid paying. With nearest bins, a sky is free: it has one color. With soft codes it
# costs 1.26 nats, the entropy of its code. The apple costs about ln 2 = 0.69 more: one toss of a coin.
#
# ## 6. A network learns it
#
# The library's `classification()` is your loss, on whole pictures, with your gradient written out so that it is fast. The
# network is that of lesson 3, with 313 outputs instead of 2.
#
# **Predict.** At which loss does the training begin? At which does it end?

# %%
torch.manual_seed(0)
network = SmallNet(outputs=313, width=size.width)
history = fit(
    network, world, classification(), size.steps, size.batch_size, size.learning_rate
)

# %%
kinds = world.scenes(200, seed=2 * 10**6).kind  # the kind of each pixel
floor = world.cross_entropy_floor(kinds, soft=True)  # the mean over the pixels
print(f"least possible loss in this world: {floor:.2f}")

# %% jupyter={"source_hidden": true} tags=["trained"]
print(
    f"first step {history.losses[0]:.2f}, mean of the last 50 {history.smooth()[-1]:.2f}"
)
show(
    training_curve(
        history.losses, toyruns.band("classification"), floor, unit="loss (nats)"
    ),
    alt="The loss falls steeply from above 4 in the first hundred steps and then slowly "
    "approaches the dashed line of the floor.",
    caption="The loss of the training, and the least that any network could reach. Our "
    "three runs, the band, differ by less than the width of the line.",
)

# %% [markdown]
# The first loss is near 6, a little above ln 313, since the scores of a new network are not quite equal. (The curve begins
# lower: each of its points is the mean of 50 steps.) It ends a few hundredths above the floor. A loss of 1.4 that no longer
# falls looks like a failure. It is not: almost nothing is left to learn.
#
# The loss is one number. What has the network learned about each kind of thing? `toyruns.answers` asks it about 200 new
# scenes, and averages its probabilities over the pixels of each kind.

# %% tags=["trained"]
answers = toyruns.answers(network, world)
shares = world.shares()
print("kind      share of pixels   from the soft codes   from the palette")
for kind, found in answers.items():
    palette, share = world.palette(kind), shares[world.kinds.index(kind)]
    to_soft = total_variation(found, palette.posterior(soft=True))
    to_hard = total_variation(found, palette.posterior())
    print(f"{kind:10}{share:14.1%}{to_soft:20.2f}{to_hard:19.2f}")

# %% [markdown]
# All kinds but one come within about 0.1 of the mean of the soft codes, and stay about as far from the palette as that mean.
# The exception is the kite (0.5 to 0.9 in our runs with three seeds): one pixel in a thousand. Lesson 5 is about such rare
# colors.

# %% jupyter={"source_hidden": true} tags=["trained"]
fig, axes = panels(3, 1, (8.0, 2.2))
for ax, kind in zip(axes, ("apple", "plum", "balloon"), strict=True):
    exact, found = world.palette(kind).posterior(soft=True), answers[kind]
    top = exact.argsort(descending=True)[: min(14, int((exact > 0).sum()))]
    place = torch.arange(len(top)).numpy()
    ax.bar(
        place - 0.2, exact[top].numpy(), 0.4, color="0.75", edgecolor="0.2", label="exact"
    )
    ax.bar(
        place + 0.2,
        found[top].numpy(),
        0.4,
        color="tab:blue",
        hatch="//",
        label="learned",
    )
    labels = [f"({a:.0f},\n{b:.0f})" for a, b in centers[top].tolist()]
    ax.set_xticks(place, labels, fontsize=7)
    distance = total_variation(found, exact)
    ax.set(ylabel="probability", title=f"{kind}: total variation {distance:.2f}")
axes[0].legend(frameon=False)
axes[-1].set_xlabel("bin (a, b)")
show(
    fig,
    alt="Three bar charts, for apple, plum and balloon: the exact probabilities of the "
    "likeliest bins, and beside each the learned one, nearly as high.",
    caption="The likeliest bins of three kinds, at most 14: exact (plain gray) and "
    "learned (hatched). Both colors of the apple are back.",
)

# %% [markdown]
# The brown is still in there: take the mean of all colors, each weighted by its learned probability.

# %% tags=["trained"]
for kind in ("apple", "plum", "balloon"):
    a, b = centers.double().T @ answers[kind]
    mean = [round(x, 1) for x in world.palette(kind).mean().tolist()]
    print(f"{kind:8} mean of the answer ({a:5.1f}, {b:5.1f})   best answer of L2 {mean}")

# %% [markdown]
# So the answer contains that of L2, and the palette, too. Which color to show is a separate choice, made *after* training.
# Below are three ways to choose; lesson 6 is about them.

# %% jupyter={"source_hidden": true} tags=["trained"]
scenes = world.scenes(40, seed=3 * 10**6)
# Two scenes with many pixels of apples, plums and balloons.
numbers = [world.kinds.index(kind) for kind in ("apple", "plum", "balloon")]
busy = torch.stack([scenes.kind == number for number in numbers]).sum(dim=(2, 3))
chosen = busy.clamp(max=busy.float().mean() * 2).sum(dim=0).topk(2).indices
gray, true = scenes.lightness[chosen, None], scenes.ab[chosen]
with torch.inference_mode():
    logits = network(gray)
random = torch.Generator().manual_seed(1)
ways = {"true": true, "mean": decode.mean(logits), "most likely": decode.mode(logits)}
ways["one draw"] = decode.sample(logits, generator=random, shared=True)
ways["another"] = decode.sample(logits, generator=random, shared=True)
shown, titles = [], []
for k in range(2):
    for name, ab in ways.items():
        shown.append(decode.paint(gray, ab)[k])
        titles.append(f"{name}\nchroma {mean_chroma(ab)[k]:.0f}")
show(
    pictures(shown, titles, inches=1.9),
    alt="Two toy scenes in five versions: true colors, the mean, the most likely bin, "
    "and two random draws. Each has its mean chroma above it.",
    caption="One answer of the network, shown as its mean, its most likely bin and two "
    "draws. In the mean, apples are brown and balloons gray. The most likely bin of a "
    "balloon changes from patch to patch. In a draw all pixels use the same random "
    "numbers, so that nearly every thing has one color, and two balloons have the same.",
)

# %% [markdown]
# ## 7. Do the probabilities mean what they say?
#
# A forecast of 30 % rain is good if it rains on 30 % of such days. The same test here: take all pairs of a pixel and a bin
# in new scenes, group them by the predicted probability, and see how much weight the bin really got.
#
# **Predict.** "Really got" can mean two things: the weight in the pixel's soft code, or a whole 1 for the nearest
# bin. Where does the network say too little?

# %%
scenes = world.scenes(60, seed=4 * 10**6)
true = scenes.ab[:, :, ::2, ::2]  # at the network's resolution
with torch.inference_mode():
    said = network(scenes.lightness[:, None]).softmax(dim=1)  # (60, 313, S/2, S/2)
index, weight = soft_encode(true)
soft = torch.zeros_like(said).scatter_(1, index, weight)
hard = torch.zeros_like(said).scatter_(1, nearest_bin(true)[:, None], 1.0)

# %% tags=["trained"]
edges = torch.tensor([0.001, 0.003, 0.01, 0.03, 0.07, 0.15, 0.3, 0.45, 1.0])
group = torch.bucketize(said.flatten(), edges)
count = torch.bincount(group, minlength=9).clamp(min=1)
sums = [
    torch.bincount(group, x.flatten().double(), minlength=9) for x in (said, soft, hard)
]
predicted, in_code, nearest = (s / count for s in sums)
print("predicted   weight in the code   share of nearest bins")
for row in range(1, 9):
    print(f"{predicted[row]:9.3f}{in_code[row]:16.3f}{nearest[row]:20.3f}")

# %% jupyter={"source_hidden": true} tags=["trained"]
fig, (ax,) = panels(1, 1, (4.6, 4.0))
ax.plot([1e-3, 1], [1e-3, 1], "--", color="0.5", label="says what comes")
ax.plot(predicted[1:], in_code[1:], "o-", color="C0", label="weight in the soft code")
ax.plot(predicted[1:], nearest[1:], "x:", color="C1", label="share of nearest bins")
ax.set(xscale="log", yscale="log", xlabel="predicted probability", ylabel="observed")
ax.legend(frameon=False)
show(
    fig,
    alt="Reliability plot on logarithmic axes. Circles lie near the diagonal. Crosses "
    "lie above it for large probabilities and below it for small ones.",
    caption="Circles: against soft codes, the network says what comes. Crosses: against "
    "nearest bins, it is too careful with likely bins and too generous with unlikely "
    "ones.",
)

# %% [markdown]
# Against soft codes the network says what comes, for all but the smallest probabilities. Against nearest bins it does not:
# where it says 0.5, that bin is nearly always the nearest; where it says 0.2, in a few percent of the cases. Most of those 0.2
# belong to the second and third bins of things with one color, such as the sky: they get 0.23 and 0.15 of the weight, and are
# never the nearest.
#
# Before you call a network over- or underconfident, ask what it was trained to answer. Here: *how much weight*, not *how
# often*.
#
# ## 8. Failure gallery
#
# ### The loss that starts at 11,124
#
# Two public rewrites of Zhang's training, KTH's among them, add up the loss over the 44 x 44 pixels of a picture and divide
# only by the number of pictures. People who start such a training think it is broken. **Predict** the first loss, for a network
# that knows nothing.

# %%
for side in (24, 44, 64):
    print(f"{side} x {side} pixels: {side * side * math.log(313):,.1f}")
print(f"divided by the pixels: {math.log(313):.3f}")

# %% [markdown]
# Nothing is wrong with a sum, but three things change with it. The number depends on the size of the picture. A weight decay
# that is part of the loss becomes 1,936 times weaker beside it. And the gradient is 1,936 times as long, so a learning rate
# that fits the mean does not fit the sum. Adam hides this last change, since it divides by the size of the gradient. The plain
# descent of section 4 shows it, with the mean of 64 gradients and with their sum. (The printed loss is the mean in both.)

# %%
for name, reduce in (("mean", torch.mean), ("sum", torch.sum)):
    _, losses = learn(apple, reduce)
    print(f"{name:4}: " + "  ".join(f"{loss:8.1f}" for loss in losses[:6]))

# %% [markdown]
# **Symptom**: a first loss in the thousands, or a loss that jumps instead of falling. **Cause**: a sum where a mean was
# meant. **How to notice**: divide the first loss by ln 313. The result is the number of terms you have added up.
#
# ### A softmax over the wrong axis
#
# The network's answer has four axes, (N, 313, H, W). `dim=-1` is a habit from text models, where the classes come last. Here
# the last axis is the *column of the picture*.


# %%
def wrong_axis(logits, true_ab):
    """A classification loss with one character too many."""
    index, weight = soft_encode(true_ab)
    log_p = F.log_softmax(logits, dim=-1)  # should be dim=1
    return -(weight * log_p.gather(1, index)).sum(dim=1).mean()


torch.manual_seed(0)
broken = SmallNet(outputs=313, width=size.width)
few = size.steps // 4
bad = fit(broken, world, wrong_axis, few, size.batch_size, size.learning_rate)

# %% tags=["trained"]
with torch.inference_mode():
    logits = broken(scenes.lightness[:5, None])
total = F.softmax(logits, dim=-1).sum(dim=1)  # what the loss took for probabilities
off = (decode.mode(logits) - true[:5]).norm(dim=1).mean()
good = (decode.mode(network(scenes.lightness[:5, None])) - true[:5]).norm(dim=1).mean()
print(f"loss: first step {bad.losses[0]:.2f}, mean of the last 50 {bad.smooth()[-1]:.2f}")
print(f"sum over the bins: from {total.min():.2f} to {total.max():.2f}")
print(f"mean error of the most likely bin: {off:.0f} ab units, done right {good:.0f}")

# %% jupyter={"source_hidden": true} tags=["trained"]
gray = scenes.lightness[:2, None]
with torch.inference_mode():
    modes = [scenes.ab[:2], decode.mode(network(gray)), decode.mode(broken(gray))]
shown, titles = [], []
for k in range(2):
    for name, ab in zip(("true", "dim=1", "dim=-1"), modes, strict=True):
        shown.append(decode.paint(gray, ab)[k])
        titles.append(f"{name}, chroma {mean_chroma(ab)[k]:.0f}")
show(
    pictures(shown, titles, columns=6, inches=1.8),
    alt="Two toy scenes: true colors, the most likely bins of the right network, and "
    "those of the network trained with the wrong axis, whose colors make no sense.",
    caption="The most likely bin of two networks: trained with the softmax over the bins "
    "(dim=1), and over the columns (dim=-1).",
)

# %% [markdown]
# **Symptom**: none, at first sight. The loss is small and falls. **Cause**: each bin is compared with itself in other columns,
# never with other bins: add 100 to all scores of one bin, and this loss does not change. Where a color fills a whole row, as
# sky and grass do, there is nothing to compare it with. **How to notice**: the first loss is not near ln 313 but near ln 24 =
# 3.18, since a scene has 24 columns at the network's resolution. And the probabilities `p` of a pixel do not sum to 1. One line
# before training tells: `assert torch.allclose(p.sum(dim=1), torch.ones(()))`.
#
# ## 9. Ten bins on each axis
#
# Agrawal and Sawhney cut each axis by itself: ten equal bins for a, ten for b, from -100 to 100. Instead of 313 numbers, their
# network gives 10 + 10, one distribution for a and one for b.
#
# ### Exercise 4.5 · Ten bins on each axis
# ●○○○○ · 5 minutes
#
# Return the number of the bin for each value, 0 to `bins` - 1. All bins have the same width. A value on the border of two
# bins belongs to the upper one. Values below -100 go to the first bin, 100 and all above to the last. `ab` may have any
# shape; a and b are treated alike.
#
# <details><summary>Hint 1</summary>How wide is a bin? How many widths is a value above -100?</details>
# <details><summary>Hint 2</summary>Divide, <code>floor()</code>, <code>long()</code>, then
# <code>clamp(0, bins - 1)</code>.</details>


# %%
@check("4.5")
def axis_bins(ab, bins=10):
    """Number of each value's bin: any shape -> the same shape, int64."""
    # BEGIN SOLUTION
    steps = (ab + 100) / (200 / bins)
    return steps.floor().long().clamp(0, bins - 1)
    # END SOLUTION


# %% [markdown]
# A plum is violet, (33, -28), with probability 0.7, or yellow, (7, 42), with 0.3. On this grid violet is bin 6 of a with bin 3
# of b, and yellow is bin 5 with bin 7. Write the probabilities as a table, rows for a and columns for b: the *joint*
# distribution.


# %%
def joint_of(palette, bins=10):
    """Probabilities of a palette on the grid: -> (bins, bins), rows for a."""
    a, b = axis_bins(palette.colors, bins).unbind(dim=1)
    table = torch.zeros(bins, bins, dtype=torch.float64)
    return table.index_put((a, b), palette.probabilities, accumulate=True)


plum = joint_of(world.palette("plum"))
print("a in bin 5 or 6, b in bin 3 or 7:", plum[5:7][:, [3, 7]].tolist())

# %% [markdown]
# Two separate answers know the sums of the rows and of the columns, and nothing else. Draw a color from them: a from one, b
# from the other, each by itself.
#
# **Predict.** How often is the plum neither violet nor yellow?
#
# ### Exercise 4.6 · Two answers, each by itself
# ●●○○○ · 10 minutes
#
# Return the probability of each pair if a and b are drawn apart: the probability of the row times that of the column.
#
# <details><summary>Hint 1</summary>The probability of a row is the sum over its entries.</details>
# <details><summary>Hint 2</summary>A column vector (A, 1) times a row vector (1, B) gives a table (A, B):
# <code>keepdim=True</code>.</details>


# %%
@check("4.6")
def separate(joint):
    """What is left when a and b are drawn apart: (A, B) -> (A, B)."""
    # BEGIN SOLUTION
    return joint.sum(dim=1, keepdim=True) * joint.sum(dim=0, keepdim=True)
    # END SOLUTION


# %%
print(separate(plum)[5:7][:, [3, 7]])
several = [kind for kind in world.kinds if len(world.palette(kind).colors) > 1]
for kind in several:
    joint = joint_of(world.palette(kind))
    invented = separate(joint)[joint == 0].sum()
    print(f"{kind:8} {invented:.0%} of the draws are a color that no {kind} has")

# %% [markdown]
# 2 x 0.7 x 0.3 = 0.42 for the plum. The apple escapes: its two colors have the same b, so nothing can be mixed up.

# %% jupyter={"source_hidden": true}
fig, axes = panels(1, 2, (4.2, 3.9))
for ax, kind in zip(axes, ("plum", "balloon"), strict=True):
    joint = joint_of(world.palette(kind))
    table = separate(joint)
    ab_plane(ax, kind, lightness=None)
    for a, b in table.nonzero().tolist():
        x, y, real = -90 + 20 * a, -90 + 20 * b, joint[a, b] > 0
        style = {
            "marker": "o" if real else "x",
            "color": "tab:blue" if real else "tab:red",
        }
        ax.scatter(x, y, s=900 * max(table[a, b].item(), 0.04), alpha=0.6, **style)
        ax.text(x, y + 9, f"{table[a, b]:.2f}"[1:], ha="center", fontsize=7)
    ax.set(xlim=(-60, 70), ylim=(-60, 75))
    ax.set_xticks(range(-60, 61, 20))
    ax.set_yticks(range(-60, 61, 20))
    ax.grid(alpha=0.4)
show(
    fig,
    alt="Two plots of the ab plane, plum and balloon, cut into squares of 20. Circles "
    "mark the palette's colors, crosses other colors that arise from drawing apart.",
    caption="Drawing a and b apart. Circles: colors of the palette. Crosses: colors that "
    "nothing of the kind has. The numbers are probabilities.",
)

# %% [markdown]
# That is exact arithmetic. Does a trained network do it, too? This one gets 20 outputs, and two losses that are added.


# %%
def two_losses(logits, true_ab):
    """Cross-entropies of a and of b, added: logits (N, 20, H, W)."""
    a, b = axis_bins(true_ab).long().unbind(dim=1)  # (N, H, W) each
    return F.cross_entropy(logits[:, :10], a) + F.cross_entropy(logits[:, 10:], b)


torch.manual_seed(0)
apart = SmallNet(outputs=20, width=size.width)
history = fit(apart, world, two_losses, size.steps, size.batch_size, size.learning_rate)

# %% tags=["trained"]
with torch.inference_mode():
    logits = apart(scenes.lightness[:, None])
p_a, p_b = logits[:, :10].softmax(dim=1), logits[:, 10:].softmax(dim=1)
both = torch.einsum("nahw,nbhw->nhwab", p_a, p_b)  # drawn apart
there = scenes.kind[:, ::2, ::2]
print("draws of a color that the kind does not have: exact, learned apart, 313 bins")
for kind in several:
    joint, mass = joint_of(world.palette(kind)), world.palette(kind).posterior(soft=True)
    exact = separate(joint)[joint == 0].sum()
    learned = both[there == world.kinds.index(kind)].mean(dim=0)[joint == 0].sum()
    blurred = answers[kind][mass == 0].sum()
    print(f"{kind:8}{exact:8.0%}{learned:8.0%}{blurred:8.0%}")

# %% [markdown]
# The trained network does what the arithmetic says, within a few points. More than four of ten plums and more than half of the
# balloons would get a color that no plum or balloon has. The 313 bins name a and b together: only a few percent fall outside
# the blurred palette.
#
# Agrawal and Sawhney do not draw: they take the likeliest bin of a and the likeliest of b. For the plum that gives violet; it
# can fail (see the questions). Binning a and b as a pair is their future work. Larsson et al. tried both, 32 + 32 bins and 16 x
# 16, and found the pair no better (RMSE 0.321 and 0.328). They read out the mean, and the mean of a and b is the same, whether
# they are drawn apart or together. What you lose depends on what you do with the answer.
#
# ## 10. How many bins?
#
# Agrawal and Sawhney tried 10, 30 and 50 bins on each axis. Their accuracy, the share of right bins, fell from 41.5 to 27.8 to
# 18.9 %. They chose 10. What does the fall say? (We count the bins of a and those of b. Their text can also be read as: a pixel
# is right if both are. Lesson 8 counts so.)
#
# First, what the bins alone cost: move each color of our five photos to the middle of its bin.

# %%
photos = torch.stack(
    [images.square(images.bundled(name), 256) for name in images.BUNDLED]
)
lab = rgb_to_lab(photos)
true_ab = lab[:, 1:]  # (5, 2, 256, 256)
for bins in (10, 30, 50):
    middle = (axis_bins(true_ab, bins) + 0.5) * (200 / bins) - 100
    error = (middle - true_ab).norm(dim=1).mean()
    print(f"{bins} bins on each axis: mean error {error:.1f} ab units")
middle = centers[nearest_bin(true_ab)].movedim(-1, 1)
print(f"the 313 bins: mean error {(middle - true_ab).norm(dim=1).mean():.1f} ab units")

# %% [markdown]
# More bins cost less. Now the accuracy, by all three rulers, of two predictions: no color at all, and the colors of a network
# that was trained on photos with the loss of this lesson.
#
# **Predict.** Which of the two has the higher accuracy?

# %% tags=["trained"]
colorizer = Colorizer.load("classification")
colored = torch.stack([colorizer.paint(*colorizer.answer(p), T=1.0)[0] for p in photos])
guesses = {"no color": torch.zeros_like(true_ab), "network": rgb_to_lab(colored)[:, 1:]}
for name, guess in guesses.items():
    error = (guess - true_ab).norm(dim=1).mean()
    row = [axis_bins(guess, k) == axis_bins(true_ab, k) for k in (10, 30, 50)]
    hits = "  ".join(f"{same.float().mean():4.0%}" for same in row)
    print(f"{name:9} right with 10, 30, 50 bins: {hits}   error {error:.1f} ab units")

# %% [markdown]
# Within a row the guesses are the same; only the bins are smaller. So a falling accuracy does not say which number of bins is
# better. (More classes may need more training pictures, as Agrawal and Sawhney say; this measure cannot show it.)
#
# And no color at all wins by every ruler, although its error is larger. These photos are warm, gray's bins begin at 0, and
# whatever is a little above falls into them. The network is often one bin off, which counts for nothing, however near. To
# compare networks, measure a distance.
#
# ## 11. On photos
#
# In the toy world the palette has come back. Are photos colorful now? Here are two networks of the same kind, trained on the
# same photos for as many steps, one with L2, one with the loss of this lesson.
#
# **Predict.** Which one is more colorful, in mean chroma?

# %% tags=["trained"]
regression = Colorizer.load("l2")
rows = {"true": photos}
rows["L2"] = torch.stack([regression.paint(*regression.answer(p))[0] for p in photos])
rows["classification, T = 1"] = colored
rows["classification, T = 0.38"] = torch.stack(
    [colorizer.paint(*colorizer.answer(p), T=0.38)[0] for p in photos]
)
chroma = {name: mean_chroma(rgb_to_lab(row)[:, 1:]) for name, row in rows.items()}
for name, values in chroma.items():
    each = "  ".join(f"{value:4.1f}" for value in values)
    print(f"{name:25} mean chroma {values.mean():4.1f}: {each}")

# %% jupyter={"source_hidden": true} tags=["trained"]
fig, axes = panels(4, 5, (1.9, 2.1))
for k, (name, row) in enumerate(rows.items()):
    for j in range(5):
        picture(axes[5 * k + j], row[j], f"chroma {chroma[name][j]:.0f}")
    axes[5 * k].text(
        -0.06,
        0.5,
        name.replace(", ", ",\n"),
        transform=axes[5 * k].transAxes,
        rotation=90,
        ha="right",
        va="center",
    )
show(
    fig,
    alt="Five photos in four rows: true colors, a network trained on L2, one trained on "
    "classification read out as the mean and at temperature 0.38. All but the true "
    "colors are brownish or nearly gray.",
    caption="Five photos that neither network has seen. T is the temperature of the "
    "annealed mean (lessons 2 and 6).",
)

# %% [markdown]
# Neither: the mean of the classification's answer is about as dull as L2. Both estimate the same thing, the mean color. And at
# T = 0.38, which the paper chose for colors more vivid than the mean's, ours is duller still. Sharpening moves toward the
# likeliest bins, and in photos these lie near gray: the bin of gray alone holds nearly a third of all pixels (lesson 5).
#
# Five photos are few, but 97 others agree (the networks' model cards, in `data/weights/`): mean chroma 10.0 for L2, 10.4 and
# 6.0 for classification at T = 1 and 0.38, where the truth has 17.5.
#
# So a distribution alone does not make photos colorful. It keeps the rare colors, but with small probabilities. Lesson 5 makes
# them count, lesson 6 reads them out.
#
# ## What the papers say, what we measured
#
# | | papers | exact | this lesson |
# |---|---|---|---|
# | loss at the start | not reported; added up over 44 x 44 pixels it is 11,124 | 5.746 | about 6 |
# | loss at the end | not to be compared: other pictures | 1.39 | about 1.42 |
# | what soft codes teach | "relationships between elements in the output space" (KTH, 4.1) | the mean of the codes, 0.39 to 0.49 from the palette | within about 0.1 of it, except for the kite |
# | a and b apart | 10 + 10 bins; as a pair: future work (Agrawal & Sawhney). 32 + 32 against 16 x 16: RMSE 0.321 and 0.328 (Larsson, Table 1) | 42 % of drawn plums have a color that does not exist | about as many |
# | bin accuracy with 10, 30, 50 bins | 41.5, 27.8, 18.9 % (Agrawal & Sawhney, Table 2) | | the same guesses: 50, 23, 16 % |
# | vivid on photos? | classification is the most vivid (Agrawal & Sawhney, Figure 6) | | chroma 11 at T = 1, 6 at T = 0.38; L2 10, truth 26 |
#
# **Take away**
# 1. A distribution says more than a color: the answer of L2 is its mean, and the palette is in it, too.
# 2. Soft cross-entropy converges to the mean of the soft codes. Not to the palette, and not to a loss of 0.
# 3. A number alone says nothing. Compare the first loss with ln 313, the last loss with the floor, an accuracy with that of no
#    color.
#
# ## Questions
#
# <details><summary>A palette: 0.4 of color (A, B), 0.3 of (C, D), 0.3 of (C, E). Which color do the likeliest a and the
# likeliest b make?</summary>The likeliest a is C, with 0.6; the likeliest b is B, with 0.4. So (C, B), a color that nothing
# has. The likeliest pair is (A, B).</details>
# <details><summary>A network with the 529 bins of the whole grid starts at which loss? Is it a worse network than ours?</summary>
# At ln 529 = 6.27. That says nothing about the network: it has more bins to be wrong about. With soft codes both end at the
# same floor, if none of the added bins is among the five nearest of a color that occurs.</details>
# <details><summary>How much more does the plum cost at least if a and b are predicted apart, with nearest bins?</summary>As a
# pair: -0.7 ln 0.7 - 0.3 ln 0.3 = 0.61 nats. Apart: as much for a, and as much again for b, 1.22. So at least 0.61 nats more.
# Whoever knows a also knows b, but separate answers cannot say so.</details>
# <details><summary>What would change if you trained on nearest bins instead of soft codes?</summary>The best answer would be
# the palette itself, and the least loss in this world 0.14 instead of 1.39 (<code>ToyWorld.cross_entropy_floor</code>
# tells). In exchange a color 4 units from the center of its bin would be called the same as the center.</details>

# %%
check.scorecard()
