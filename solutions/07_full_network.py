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
# # Lesson 7 · The full network
#
# **What is in the network of Zhang, Isola and Efros, and what does it cost to train?**
#
# So far a small network of our own has learned. The paper's has 22 convolutions and 32 million numbers. You take it apart,
# count what it costs, train a thin copy of it here, and learn what changes when a training runs for days, on a GPU or on
# eight of them.
#
# After this lesson you can
# - say which part of a photo a layer sees, and what dilation does to it;
# - predict memory, arithmetic and days of a training before you start it;
# - say what batch norm does, when it can be folded away, and when not;
# - stop a training, go on, and get the same bits;
# - say what half precision, small parts of a batch, and several GPUs change, and what they do not;
# - read a loss curve that went wrong.
#
# | to read and solve | to run | needs |
# |---|---|---|
# | 100 minutes, 5 exercises | 1 to 2 minutes, most of it one training | CPU only (a GPU is used if there is one), no download |
#
# You should know the classification loss (lesson 4) and its rebalancing (lesson 5). How exercises work: replace the line
# `raise NotImplementedError` by your answer and run the cell. Whatever the badge says, you can go on. Cells that only draw
# are folded; a click on the three dots opens them.

# %%
import tempfile
from pathlib import Path

import ipywidgets
import torch
import torch.nn.functional as F

from colorize import images, toyruns
from colorize.check import check
from colorize.colorizer import Colorizer, WeightsError
from colorize.figures import name_row, panels, picture, pictures, show
from colorize.files import read_results
from colorize.lab import rgb_to_lab, to_gray
from colorize.losses import classification
from colorize.metrics import mean_chroma
from colorize.networks import SmallNet, ZhangNet
from colorize.networks.zhang import RELEASE, layer_table, multiply_adds
from colorize.toyworld import ToyWorld
from colorize.training import fit, staircase
from colorize.widgets import slider_demo

# %% [markdown]
# ## 1. What a layer sees
#
# Here is the network, in eight blocks. Each layer is a 3 x 3 convolution followed by a ReLU. Only `conv8_1`, which doubles the
# resolution, is 4 x 4 and *transposed*: each value that comes in adds a copy of the kernel, times the value, to what comes out.
# A stride of 2 belongs to the last layer of its block. A last 1 x 1 convolution, the head, turns 256 channels into 313 logits.
# There is no pooling, and there are no skip connections, by which `SmallNet` hands early, sharp maps on to its end.

# %%
blocks = {}
for layer in RELEASE:
    blocks.setdefault(layer.name[:5], []).append(layer)
print("block   layers  channels     stride   dilation  batch norm at its end")
for name, layers in blocks.items():
    first, last = layers[0], layers[-1]
    stride = first.stride if first.stride < 1 else last.stride
    row = f"{name:8}{len(layers):5}{last.channels:10}{stride:11}{last.dilation:11}"
    print(row + f"{'yes' if last.norm else 'no':>12}")

# %% [markdown]
# Take one answer of a layer, at the middle of a photo. It depends on a square of input pixels, its **receptive field**.
# One 3 x 3 convolution sees 3 x 3 pixels, a second one on top of it 5 x 5. With **stride** 2 a layer answers at every second
# pixel only, so that all later steps count twice. With **dilation** 2 a kernel skips every second value: its nine elements
# span 5 x 5 instead of 3 x 3.
#
# Below is the cat, 256 x 256 pixels. The pixel in question lies in the middle, on the bridge of its nose.
#
# **Predict.** Which is the first of the 22 layers that sees both eyes whole? Which sees the whole photo? Then move the slider.
# Pale is what a layer does not see. The dark dots are where its kernel looks. Around the photo, plain gray here, are only zeros.

# %%
rows = layer_table()  # a row for each layer, see section 2
cat = images.square(images.bundled("chelsea"), 256)
canvas = F.pad(to_gray(cat), (64, 64, 64, 64), value=0.5)  # (3, 384, 384)
middle = 192


# %% jupyter={"source_hidden": true}
def square(image, y, x, reach, value):
    """Fill a square of 2 reach + 1 pixels around a point, in place."""
    image[:, y - reach : y + reach + 1, x - reach : x + reach + 1] = value


def seen(number):
    """What layer ``number`` sees: picture (3, 384, 384), and a line of text."""
    row = rows[number]
    reach, apart = row.receptive_field // 2, row.effective_dilation
    image = 0.75 + 0.25 * canvas
    square(image, middle, middle, reach + 2, 0.0)  # a dark frame
    field = slice(middle - reach, middle + reach + 1)
    image[:, field, field] = canvas[:, field, field]
    across = 4 if row.layer.stride < 1 else 3
    steps = [round(apart * (k - (across - 1) / 2)) for k in range(across)]
    for size, value in ((3, 1.0), (2, 0.0)):  # dark dots with a white rim
        for y in steps:
            for x in steps:
                square(image, middle + y, middle + x, size, value)
    side = row.receptive_field
    words = f"sees {side} x {side} pixels, kernel elements {apart} apart"
    return image, f"{row.layer.name} {words}"


# %%
slider = ipywidgets.SelectionSlider(
    options=[(row.layer.name, k) for k, row in enumerate(rows)], description="layer"
)
slider_demo(seen, slider, "field", "The photo of the cat; pale is what is not seen")

# %% jupyter={"source_hidden": true}
strip = ("conv2_2", "conv4_3", "conv5_3", "conv6_1", "conv6_3", "conv7_3")
numbers = [k for k, row in enumerate(rows) if row.layer.name in strip]
show(
    pictures(
        [seen(k)[0] for k in numbers],
        [f"{rows[k].layer.name}: {rows[k].receptive_field}" for k in numbers],
        columns=3,
        inches=2.7,
    ),
    alt="The photo of the cat six times. A square around the middle grows from the size "
    "of a nostril to more than the photo; nine dots in it move apart and then together.",
    caption="Six positions of the slider, for readers without a kernel. The number is "
    "the side of the field in pixels. conv6_1 is the first to see both eyes whole, "
    "conv6_3 the first to see the whole photo.",
)

# %% [markdown]
# The whole photo is seen by `conv6_3`, layer 16 of 22. What a layer cannot see, it cannot use: at this pixel, no layer before
# `conv6_1` can know of two whole eyes.
#
# And what would it see without dilation? The six layers of blocks 5 and 6 would each add 16 pixels instead of 32.

# %%
before_8 = rows[18].receptive_field  # conv7_3
undilated = layer_table([layer._replace(dilation=1) for layer in RELEASE])
print(f"conv7_3 sees {before_8} pixels; without dilation {undilated[18].receptive_field}")
print("numbers in the network: the same in both")

# %% [markdown]
# 229 pixels are less than the photo. Another stride would enlarge the field, too, but at the price of resolution. Dilation
# costs nothing: the same weights, the same arithmetic, only farther apart.
#
# The field says what a layer *can* see. What does it use? Take `zhang_small`, this network with an eighth of its channels, which
# we have trained on photos (section 9). How much does the largest of its 313 logits in the middle change with each input pixel?
# That is a gradient.


# %%
def influence(network, lightness):
    """How much the largest middle logit moves with each pixel: (1, 1, H, W) -> (H, W)."""
    lightness = lightness.clone().requires_grad_()
    answer = network(lightness)
    y, x = (n // 2 for n in answer.shape[2:])
    answer[0, :, y, x].max().backward()
    return lightness.grad[0, 0].abs()


thin = Colorizer.load("zhang_small").network
felt = influence(thin, rgb_to_lab(cat)[None, :1])
y, x = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
reach = torch.maximum((y - 128).abs(), (x - 128).abs())
for side in (33, 65, 129, 257):
    near = reach <= side // 2
    area, share = near.float().mean(), felt[near].sum() / felt.sum()
    print(f"middle {side:3} x {side:3}: {area:4.0%} of the photo", end=", ")
    print(f"{share:4.0%} of the influence")

# %% [markdown]
# The field of this answer covers the whole photo, but a quarter of the photo has nearly two thirds of the influence. A receptive
# field is an upper bound. (Many paths through the network lead to a pixel in the middle, few to one at the rim.)
#
# ## 2. The layer table
#
# The supplementary material of the paper lists each layer with two columns that follow from the others.
#
# - The **accumulated stride** $S_a$: the product of the strides of all layers *before* this one. Two neighboring values that
#   come in are so many input pixels apart.
# - The **effective dilation** $D_e = S_a \cdot D$, with $D$ the dilation: two neighboring elements of the kernel are so many input
#   pixels apart.
#
# A third column is ours, the side of the **receptive field** $R$. One input pixel alone has $R = 1$. A 3 x 3 kernel reaches one
# $D_e$ to the left and one to the right, so each layer adds $2 D_e$.
#
# ### Exercise 7.1 · The layer table
# ●●○○○ · 12 minutes
#
# Return one tensor with a row $(S_a, D_e, R)$ for each layer. All layers are 3 x 3.
#
# <details><summary>Hint 1</summary>A loop over the layers with two running numbers: the spacing of what comes in, 1 at first, and
# the field, 1 at first. When does the layer's own stride come into play?</details>
# <details><summary>Hint 2</summary>In this order: add <code>2 * spacing * dilation</code> to the field, write down the row,
# multiply the spacing by the stride. <code>torch.tensor(rows)</code> makes the table.</details>


# %%
@check("7.1")
def table(strides, dilations):
    """S_a, D_e, R of 3 x 3 layers: two tuples of k whole numbers -> tensor (k, 3)."""
    # BEGIN SOLUTION
    rows, spacing, field = [], 1, 1
    for stride, dilation in zip(strides, dilations, strict=True):
        field += 2 * spacing * dilation
        rows.append([spacing, spacing * dilation, field])
        spacing *= stride
    return torch.tensor(rows)
    # END SOLUTION


# %% [markdown]
# **Predict.** `conv1_1` widens the field by 2 pixels. By how much does `conv7_3`?

# %%
down = RELEASE[:19]  # all before conv8_1
ours = table(tuple(x.stride for x in down), tuple(x.dilation for x in down))
print("layer    S   D   S_a  D_e    R")
for layer, (stride, apart, field) in zip(down, ours.tolist(), strict=True):
    print(f"{layer.name:9}{layer.stride:<4}{layer.dilation}", end="")
    print(f"{stride:6}{apart:5}{field:5}")
for row in rows[19:]:
    print(f"{row.layer.name:9}{row.layer.stride:<4}{row.layer.dilation}", end="")
    print(f"{row.accumulated_stride:6}{row.effective_dilation:5}{row.receptive_field:5}")

# %% [markdown]
# `conv7_3` adds 16: eight times as much, with the same nine weights for each pair of channels.
#
# $S_a$ and $D_e$ are the columns of Table 1 in the supplementary material: $D_e$ is 1 1 2 2 4 4 4 8 8 8, six times 16,
# 8 8 8 4 4 4. The last three lines are `layer_table()`, which knows the transposed convolution, too: its stride of 0.5 counts at
# once, because the resolution is doubled *before* the kernel is laid. Does it agree with yours in the other 19? And do both agree
# with a network that runs? The test: a network of positive weights, a picture of the largest L, and a gradient. Where it is not 0,
# there the answer looks.

# %%
same = [(r.accumulated_stride, r.effective_dilation, r.receptive_field) for r in rows]
print("layer_table() agrees:", ours.tolist() == [list(row) for row in same[:19]])
network = ZhangNet(width=1 / 64).eval()
for parameter in network.parameters():
    parameter.data.abs_()
looked_at = influence(network, torch.full((1, 1, 400, 400), 100.0)) > 0
print("pixels that the answer looks at:", looked_at.any(dim=0).sum().item(), "across")
print("by the table:                   ", rows[-1].receptive_field)

# %% [markdown]
# ## 3. What it costs
#
# A layer holds a weight for each pair of an input and an output channel and each element of its kernel, and one bias for each
# output channel. It lays its kernel on so many *places*: the pixels of its output (a transposed convolution: of its input). At each
# place every weight is multiplied once and the product is added: a *multiply-add*. (The bias is added, not multiplied.)
#
# ### Exercise 7.2 · What a layer costs
# ●●○○○ · 8 minutes
#
# Return the count of numbers and the count of multiply-adds of each of k layers. `kernel` is the side of the kernel, 3 for 3 x 3.
#
# <details><summary>Hint 1</summary>How many weights does a single 3 x 3 kernel have that looks at all input
# channels? How many such kernels are there?</details>
# <details><summary>Hint 2</summary>There are inputs times outputs times <code>kernel**2</code> weights. Numbers: plus the biases.
# Multiply-adds: times the places.</details>


# %%
@check("7.2")
def cost(inputs, outputs, kernel, places):
    """Four tensors (k,) of whole numbers -> numbers (k,), multiply-adds (k,)."""
    # BEGIN SOLUTION
    weights = inputs * outputs * kernel**2
    return weights + outputs, weights * places
    # END SOLUTION


# %% [markdown]
# **Predict.** The first block reads the full resolution, blocks 4 to 7 an eighth of it. Which hold most of the numbers?
# Which do most of the arithmetic?

# %%
outputs = torch.tensor([layer.channels for layer in RELEASE] + [313])
inputs = torch.tensor([1, *outputs[:-1].tolist()])
kernel = torch.tensor([4 if x.stride < 1 else 3 for x in RELEASE] + [1])
spacing = [r.spacing * (2 if r.layer.stride < 1 else 1) for r in rows] + [4]
places = torch.tensor([(256 // s) ** 2 for s in spacing])  # of a 256 x 256 picture
parameters, arithmetic = cost(inputs, outputs, kernel, places)

# %%
names = [layer.name[:5] for layer in RELEASE] + ["head"]
print("block      numbers    share   multiply-adds    share")
for name in dict.fromkeys(names):
    mine = torch.tensor([n == name for n in names])
    p, m = parameters[mine].sum(), arithmetic[mine].sum()
    print(f"{name:6}{p:12,}{p / parameters.sum():9.1%}", end="")
    print(f"{m / 1e9:11.2f} billion{m / arithmetic.sum():7.1%}")
total, per_picture = parameters.sum().item(), arithmetic.sum().item()
print(f"all   {total:12,} {per_picture / 1e9:19.2f} billion")

# %% [markdown]
# Blocks 4 to 7 hold five of six numbers and do two thirds of the arithmetic. The first block, at full resolution, is cheap: it has
# few channels.
#
# 32,230,393 numbers of 4 bytes are 128.9 million bytes. The paper says 129 MB. (Batch norm adds 4,992 numbers.) And 41.8
# billion multiply-adds: with each counted as two operations, 84 billion for one photo of 256 x 256.
#
# Now a training. The paper's: 450,000 steps with 40 pictures of 176 x 176 each. A step goes through the network forward once,
# and backward, which takes about twice as much: the gradient of the values and that of the weights.
#
# **Predict** before you run the next cells. How many gigabytes does a training need? How many days would it take on your machine?
# (As a rule of thumb, one core does 50 to 100 billion such operations a second.)

# %%
STEPS, BATCH, SIDE = 450_000, 40, 176
picture_operations = 3 * 2 * per_picture * SIDE**2 / 256**2
operations = STEPS * BATCH * picture_operations
print(f"one picture: {picture_operations / 1e9:.0f} billion operations")
print(f"one step:    {BATCH * picture_operations / 1e12:.2f} trillion")
print(f"all steps:   {operations / 1e18:.1f} x 10^18")


# %%
def kept(network, lightness):
    """Bytes that a forward pass keeps for the way back, weights not counted."""
    sizes, weights = {}, {p.data_ptr() for p in network.parameters()}

    def note(tensor):
        if tensor.data_ptr() not in weights:
            sizes[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        answer = network(lightness)
    return sum(sizes.values()) + answer.numel() * answer.element_size()


size = toyruns.size()
full = ZhangNet(width=size.width / 16)  # 1; the short run makes do with 1/2
each = kept(full, torch.zeros(1, 1, SIDE, SIDE)) / 1e9
print(f"weights {total * 4e-9:.2f} GB, gradients as much, Adam's means twice as much:")
print(f"  together {4 * total * 4e-9:.2f} GB, whatever the batch")
print(f"for the way back: {each:.3f} GB a picture, {BATCH * each:.1f} GB for {BATCH}")

# %% [markdown]
# About two and a half gigabytes: not the trouble. (Temporary memory comes on top.) Now the time. We measure four steps with one
# picture each and take the fastest. (The very first also loads parts of PyTorch, and other programs may be running.) The rest
# is arithmetic.


# %%
class Held:
    """One random picture, already in memory: a training without photos."""

    def __init__(self, side):
        self.pictures = torch.rand(1, 3, side, side)

    def batch(self, n, seed):
        return self.pictures[:n]


side = SIDE * size.steps // 1200  # 176, the paper's; in the short run 22
held, one_step = Held(side), (classification(), 1, 1, 1e-4)  # one step, one picture
seconds = min(fit(full, held, *one_step, progress=False).seconds for _ in range(4))

# %% tags=["no-compare"]
share = (side / SIDE * size.width / 16) ** 2  # of the work: 1, but in the short run
rate = share / seconds  # pictures of 176 x 176 a second
print(f"{torch.get_num_threads()} thread(s) of this machine's CPU, measured:")
print(f"  {rate:.2f} pictures a second", end=", ")
print(f"{rate * picture_operations / 1e9:.0f} billion operations a second")
print(f"  {STEPS * BATCH / rate / 86400:,.0f} days for the paper's training")

# %% [markdown]
# That is an extrapolation from one step with one picture. A batch of 40 uses a CPU somewhat better, since the weights are
# updated once for all of them, and more cores help. None of it turns a year into days.
#
# What would a GPU have bought? We know of two published numbers.
#
# - The KTH students trained the same network for 150,000 steps of 40 pictures in about 20 hours, on one V100.
# - The supplementary material says 100 ms for a picture, on a K40. It does not say of which size; its table has 224 x 224.

# %% tags=["no-compare"]
kth = 150_000 * BATCH / (20 * 3600)
assumed = 1e14 / picture_operations
print("training                             pictures/s  times ours  days for 18 million")
for name, speed in (
    ("this machine (measured above)", rate),
    ("one V100 (KTH, published)", kth),
    ("100 x 10^12 op/s (assumed, not run)", assumed),
):
    days = STEPS * BATCH / speed / 86400
    print(f"{name:37}{speed:10.2f}{speed / rate:12,.0f}{days:21,.1f}")

# %% [markdown]
# One V100, a card for servers, takes 83 pictures a second: two and a half days for what takes one thread of our CPU most of a year.
# That is what a GPU would have bought: not a better network for the same number of steps, but so many more steps in the same time.
# The last line is arithmetic only: it *assumes* a GPU that keeps up 100 x 10^12 operations a second in half precision. We have
# not run it. If you have a GPU, `python -m bench.network` in the folder of the course measures it.
#
# Without one, make the training smaller. `zhang_small` of section 9 has an eighth of the channels, which is a sixtieth of the
# arithmetic for a picture; it was shown 3,900 batches of pictures of 32 to 104 pixels. That took 28 minutes on two cores, and you
# will see what it can do.
#
# And how many operations a second do the two published numbers mean, if all the time went into this arithmetic?

# %%
print(f"V100: {kth * picture_operations / 1e12:.1f} x 10^12 operations a second")
one = 2 * per_picture * 224**2 / 256**2
print(f"K40, if 224 x 224: {one / 1e9:.0f} billion operations in 0.1 s: ", end="")
print(f"{one / 0.1 / 1e12:.2f} x 10^12 a second")

# %% [markdown]
# To run the paper's training, on a GPU: `colorize train --recipe zhang2016 --data FOLDER`. The recipe is a readable file,
# `data/recipes/zhang2016.toml`. KTH's is `kth`, and `modern` is how one would do it today. None of the three
# has been run at full length here.
#
# ## 4. Batch norm
#
# At the end of blocks 1 to 7, after the ReLU, stands a batch norm. In training it takes, for each channel, the mean $m$
# and the variance $v$ of all pixels of all pictures of the batch, and turns $x$ into
#
# $$ \gamma \frac{x - m}{\sqrt{v + \varepsilon}} + \beta . $$
#
# $\gamma$ and $\beta$ are learned, one of each for a channel; $\varepsilon = 10^{-5}$ prevents a division by zero. The next layer
# so meets values of about the same size at every step, however the weights before it move. (KTH and the authors' training leave
# $\gamma$ and $\beta$ out; the authors' PyTorch version has them, and so have we.)
#
# After training, a photo must not depend on its neighbors in the batch. So in evaluation mode $m$ and $v$ are the running means
# that training has stored.
#
# **Predict.** The network `zhang_small` gets the cat alone, then together with four other photos. Does its answer about the cat
# change, in training mode and in evaluation mode?

# %%
photos = torch.stack(
    [images.square(images.bundled(name), 128) for name in images.BUNDLED]
)  # (5, 3, 128, 128)
L = rgb_to_lab(photos)[:, :1]
which = images.BUNDLED.index("chelsea")
for mode in ("train", "eval"):
    network = Colorizer.load("zhang_small").network.train(mode == "train")
    with torch.no_grad():
        alone, together = network(L[which : which + 1])[0], network(L)[which]
    change = 0.5 * (alone.softmax(dim=0) - together.softmax(dim=0)).abs().sum(dim=0)
    print(f"{mode:5} mode: total variation between the two answers {change.mean():.2f}")

# %% [markdown]
# In training mode the company counts: 1 would mean that the two answers share nothing. In evaluation mode it does not.
#
# There a batch norm is only a multiplication and an addition for each channel,
# $\text{scale} \cdot x + \text{shift}$ with $\text{scale} = \gamma / \sqrt{v + \varepsilon}$ and
# $\text{shift} = \beta - \text{scale} \cdot m$. The convolution after it multiplies and adds, too. So one could do the
# work of both, and the batch norm would cost nothing. This is called *folding*.
#
# ### Exercise 7.3 · Folding a batch norm
# ●●●○○ · 12 minutes
#
# Return the weight and the bias of the convolution that does both. With $w_{oi}$ the kernel from input channel $i$ to
# output channel $o$ and $*$ for "convolved with", the old way gives
# $\text{bias}_o + \sum_i w_{oi} * (\text{scale}_i x_i + \text{shift}_i)$.
#
# <details><summary>Hint 1</summary>Multiply out. One part has x in it: its factor is the new kernel. The other has not: it is
# a constant for each output channel.</details>
# <details><summary>Hint 2</summary><code>scale[None, :, None, None]</code> fits to dimension 1 of the weight. A constant picture
# of value shift, seen by a kernel, gives shift times the sum of its nine elements.</details>


# %%
@check("7.3")
def fold(weight, bias, scale, shift):
    """weight (O, I, 3, 3), bias (O,), scale and shift (I,) -> new weight, new bias."""
    # BEGIN SOLUTION
    new_weight = weight * scale[None, :, None, None]
    return new_weight, bias + weight.sum(dim=(2, 3)) @ shift
    # END SOLUTION


# %% [markdown]
# Try it on a real pair: the batch norm at the end of block 4, and `conv5_1` after it, with dilation 2. Its padding is 2 as well:
# zeros around the picture, so that the output is as large as the input.
#
# **Predict.** The formula is exact. Will the two ways agree at every pixel?


# %%
def at_norm(name, L):
    """What goes into a batch norm of the thin network, and what comes out."""
    found = []
    hook = thin.norms[name].register_forward_hook(lambda _m, x, y: found.extend((*x, y)))
    with torch.no_grad():
        thin(L)
    hook.remove()
    return found


norm, conv = thin.norms["conv4_3"], thin.convs["conv5_1"]
scale = norm.weight / (norm.running_var + norm.eps).sqrt()
shift = norm.bias - scale * norm.running_mean
new_weight, new_bias = fold(conv.weight, conv.bias, scale, shift)
x, y = at_norm("conv4_3", L[which : which + 1])
with torch.no_grad():
    old = conv(y)
    new = F.conv2d(x, new_weight, new_bias, padding=2, dilation=2)
    apart = (old - new).abs().amax(dim=(0, 1))  # (16, 16)

# %% jupyter={"source_hidden": true}
fig, (ax,) = panels(1, 1, (4.6, 3.6))
shown = ax.imshow(apart.numpy(), cmap="gray_r", vmin=0)
ax.set(xlabel="column", ylabel="row", title="largest difference over the channels")
fig.colorbar(shown, ax=ax, label="difference of the two outputs")
show(
    fig,
    alt="A map of 16 x 16 pixels. A frame, two pixels wide, is dark; everything inside "
    "is white.",
    caption="Batch norm, then convolution, against the folded convolution. White is 0. "
    "They differ in a frame of two pixels.",
)

# %%
print(f"inside: largest difference {apart[2:-2, 2:-2].max():.0e}")
print(f"frame:  largest difference {apart.max():.2f}", end=", ")
print(f"of values up to {old.abs().max():.1f}")

# %% [markdown]
# Why? The padding lies *between* the two. The old way pads with zeros after the batch norm. The new way pads with zeros
# before it, and a zero that goes through the batch norm becomes the shift. Where the kernel looks over the edge, the
# two see different things.
#
# ### Exercise 7.4 · Where the fold fails
# ●○○○○ · 5 minutes
#
# Return a mask: True at the pixels where a 3 x 3 kernel, stride 1, reaches beyond the picture.
#
# <details><summary>Hint 1</summary>How far does the kernel reach to each side? With dilation 1 it is one pixel.</details>
# <details><summary>Hint 2</summary>Start with a mask of ones, <code>torch.ones(height, width, dtype=torch.bool)</code>, and set its
# inner part to False.</details>


# %%
@check("7.4")
def touches(height, width, dilation):
    """True at the pixels that look over the edge: three whole numbers -> (H, W) bool."""
    # BEGIN SOLUTION
    mask = torch.ones(height, width, dtype=torch.bool)
    mask[dilation : height - dilation, dilation : width - dilation] = False
    return mask
    # END SOLUTION


# %%
mask = touches(*apart.shape, dilation=2)
print(f"differs outside of the mask: {(apart[~mask] > 1e-3).sum()} pixels")
print(f"differs inside of the mask:  {(apart[mask] > 1e-3).sum()} of {mask.sum()} pixels")

# %% [markdown]
# On a 16 x 16 map, 112 of 256 pixels are in the frame, and what is wrong there spreads with every further layer. So this batch norm
# stays where it is. Two cases fold exactly:
#
# - **Without padding.** That is the white part of the figure.
# - **Batch norm right after the convolution**, before the ReLU, as in our `SmallNet`. There the convolution comes first and
#   has done its padding already; scale and shift go into its weight and bias. One line each:

# %%
torch.manual_seed(0)
conv, norm = SmallNet().stem[:2]  # an untrained pair: 5 x 5 convolution, batch norm
norm.running_mean, norm.running_var = torch.randn(32), torch.rand(32) + 0.5
norm.eval()
scale = norm.weight / (norm.running_var + norm.eps).sqrt()
weight = conv.weight * scale[:, None, None, None]  # now the output channels
bias = norm.bias - scale * norm.running_mean
with torch.no_grad():
    old, new = norm(conv(L)), F.conv2d(L, weight, bias, stride=2, padding=2)
print(f"largest difference {(old - new).abs().max():.0e}, of {old.abs().max():.0f}")

# %% [markdown]
# ## 5. Train it
#
# The toy world of lessons 3 to 6, the loss of lesson 4, and the paper's network. On a CPU it gets an eighth of its channels,
# 514,241 numbers. If PyTorch sees a GPU through CUDA, the same cell trains the full width on it (we have not run that).
#
# **Predict.** `SmallNet` of width 16 (453,401 numbers) came close to the least possible, 1.39 nats: 1.42 after 1,200 steps, and
# hardly more after 600. Will this network, which has about as many numbers, come as close in 600?

# %%
device = "cuda" if torch.cuda.is_available() else "cpu"
world = ToyWorld(size.scene)
width, learning_rate = size.width / 128, size.learning_rate  # 1/8 of the channels
if device == "cuda":
    width, learning_rate = 1.0, 3e-4
torch.manual_seed(0)
network = ZhangNet(width=width).to(device)
steps = size.steps // 2
history = fit(network, world, classification(), steps, size.batch_size, learning_rate)
network = network.cpu()

# %% jupyter={"source_hidden": true} tags=["trained"]
floor = world.cross_entropy_floor(world.scenes(200, seed=1).kind, soft=True)
fig, (ax,) = panels(1, 1, (5.4, 3.0))
ax.plot(
    range(50, steps + 1),
    history.smooth()[49:],
    color="black",
    label=f"ZhangNet, width {width:g}",
)
band = toyruns.band("classification")
if band is not None:
    reached = band[0] <= steps
    lines = (part[reached] for part in band)
    ax.fill_between(*lines, color="C1", alpha=0.6, label="SmallNet, three seeds")
ax.axhline(floor, color="0.3", linestyle="--", label=f"least possible, {floor:.2f}")
ax.set(xlabel="step (mean of the last 50)", ylabel="loss (nats)")
ax.legend(frameon=False)
show(
    fig,
    alt="The loss of ZhangNet falls to about 2 nats within a hundred steps, then slowly "
    "to 1.8. A band, SmallNet, starts higher, falls below it after a hundred steps and "
    "comes close to a dashed line at 1.4.",
    caption="The training. Black line: the paper's network, thin. Band: SmallNet with "
    "the same loss and batches, whose training was planned for twice as many steps (at "
    "full size only). Dashed: the least possible.",
)

# %% tags=["trained"]
last = sum(history.losses[-50:]) / 50
print(f"loss {last:.2f} nats; 5.75 knows nothing, {floor:.2f} is the least possible")
print("learned" if last < 5.75 / 2 else "NOT learned: train it again before you go on")
distance = toyruns.distances("classification", network, world)
print("distance from the best answer, 0 to 1 (total variation)")
for kind in ("sky", "grass", "wall", "tree", "apple", "lemon", "kite"):
    print(f"  {kind:6} {distance[kind]:.2f}")

# %% [markdown]
# It does not. Sky and grass, which are large, it has nearly learned; lemons and kites hardly at all. The likely reason: in the
# middle of this network a scene of 48 pixels is a map of 6 x 6 values. A lemon is about as large as one of them, a kite half as
# large, and there is no skip connection that would bring their outlines back. The paper's network is made for photos of 176
# pixels and more, for 450,000 steps, and for things that fill a good part of the photo. `SmallNet` is made for this course. The
# toy world does not say which is the better network for photos.
#
# ## 6. Stop, and go on
#
# A training of days will be stopped: by you, by a power cut, by a machine that is taken away. The loop of this course writes a
# **checkpoint** every so many steps. If the file is there when you call `fit` again, it goes on from it.
#
# **Predict.** A run is killed at step 7 of 10; its last checkpoint is from step 4. It goes on. Will the network differ from
# that of a run that nobody has disturbed? By how much?


# %%
class Killed(Exception):
    """What happens to a program in this lesson."""


class Fragile:
    """A toy world that fails when the batch of a certain step is drawn."""

    def __init__(self, world, at):
        self.world, self.left = world, at

    def batch(self, n, seed):
        self.left -= 1
        if self.left == 0:
            raise Killed
        return self.world.batch(n, seed)


# %%
tiny = ToyWorld(24)


def ten_steps(data, checkpoint=None):
    """Train a very thin network for 10 steps, the same way each time."""
    torch.manual_seed(0)
    network = ZhangNet(width=1 / 16)
    settings = {"checkpoint": checkpoint, "checkpoint_every": 4, "progress": False}
    fit(network, data, classification(), 10, 8, 4e-3, **settings)
    return network


def differ(one, other):
    """Largest difference in the weights, and in the batch norms' running means."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    weights = max((a - b).abs().max().item() for a, b in pairs)
    pairs = zip(one.buffers(), other.buffers(), strict=True)
    means = max((a - b).abs().max().item() for a, b in pairs if a.is_floating_point())
    return weights, means


# %%
folder = tempfile.TemporaryDirectory()
file = Path(folder.name) / "run.pt"
undisturbed = ten_steps(tiny)
try:
    ten_steps(Fragile(tiny, at=7), file)
except Killed:
    print("killed while it drew the batch of step 7; there is a file:", file.name)
state = torch.load(file, weights_only=True)  # a copy, for the experiment below
resumed = ten_steps(tiny, file)
print("largest difference from the undisturbed run, in the weights and in the")
print("running means of batch norm:", *differ(undisturbed, resumed))

# %% [markdown]
# None: the same bits. (On the same machine with the same number of threads; another one adds up in another order.) For that, the
# file must hold everything that the next step depends on.
#
# **Question.** Which of these must be in it: the weights? Adam's two running means? the number of steps? the running means of
# the batch norms? the photos?
#
# Take them out, one at a time, and see.

# %% tags=["trained"]
print("in the file:", *state, sep="\n  ")
fresh = torch.optim.AdamW(ZhangNet(width=1 / 16).parameters())
weak = {**state["part.network"]}
for key in weak:
    if "running" in key:
        weak[key] = torch.full_like(weak[key], float(key.endswith("var")))
spoiled = {
    "everything is there": {},
    "no running means of Adam": {"part.optimizer": fresh.state_dict()},
    "no number of steps": {"value.losses": torch.zeros(0)},
    "no running means of batch norms": {"part.network": weak},
}
print("largest difference in:             weights  batch norms")
for name, change in spoiled.items():
    torch.save(state | change, file)
    weights, means = differ(undisturbed, ten_steps(tiny, file))
    print(f"{name:31}{weights:11.2g}{means:13.2g}")
folder.cleanup()

# %% [markdown]
# - Without **Adam's running means** the optimizer starts cold. The loss will often jump after such a restart, and recover.
# - Without **the number of steps** (the file has it as the number of losses) the run begins its plan again: the learning rate of
#   the first step, and batches that it has seen before.
# - Without **the batch norms' running means** the weights come out right, since training does not read those means, but the
#   finished network would answer differently. It is easy to miss.
# - **The photos** need not be in it, if it is known which ones come next. Here the seed of a batch is computed from the number
#   of the step. That is also why the state of the random numbers matters only where something else draws, such as dropout.
#
# One more thing belongs in it: the *plan*. If you go on with another learning rate by mistake, `fit` says so and stops.
#
# ## 7. Faster, larger, on several GPUs
#
# ### Half precision
#
# A number of 16 bits takes half of the memory, and GPUs multiply it much faster. Two formats are in use. What do they keep?

# %%
print("                 float32     bfloat16      float16")
for value in (1 / 3, 1.001, 3e-8, 70_000.0):
    kinds = (torch.float32, torch.bfloat16, torch.float16)
    row = [torch.tensor(value).to(kind).item() for kind in kinds]
    print(f"{value:<12.6g}" + "".join(f"{x:13.6g}" for x in row))

# %% [markdown]
# **bfloat16** has the range of float32 and under three decimal digits. **float16** has more than three digits, but ends at 65,504,
# and what is below about 3 x 10^-8 becomes 0.
#
# In both, 1 plus a small step is often 1 again. So the weights stay in float32, where small steps add up; only the
# convolutions are computed in 16 bits. That is *mixed precision*: `precision="bfloat16"` in `fit`.
#
# float16 needs one thing more. Gradients can be tiny, and 0 is no gradient. The cure is **loss scaling**: multiply the
# loss by a large number. All gradients are then larger by the same factor, and are divided by it in float32, before the step.
#
# **Predict.** A gradient of 2 x 10^-8, as it is and with the loss times 65,536: what arrives?

# %%
gradient, factor = torch.tensor(2e-8), 65_536.0
print("without scaling:", gradient.half().float().item())
print("with scaling:   ", ((gradient * factor).half().float() / factor).item())

# %% [markdown]
# ### A batch in parts
#
# The batch does not fit in memory? Cut it in parts, let their gradients add up, and take one step for all: `accumulate=4` in `fit`.
# If the loss is a mean, each part counts a fourth. Is that the same as the whole batch? Compare gradients, with batch norm's
# statistics frozen (evaluation mode) and live (training mode).


# %% tags=["trained"]
def gradients(network, parts):
    """Gradient of one batch of 8 scenes that is cut into parts: one long vector."""
    network.zero_grad()
    lab = rgb_to_lab(tiny.batch(8, seed=5)[0])
    for part in lab.chunk(parts):
        loss = classification()(network(part[:, :1]), part[:, 1:, ::4, ::4])
        (loss / parts).backward()
    return torch.cat([p.grad.flatten() for p in network.parameters()])


for live in (False, True):
    resumed.train(live)
    whole, summed = gradients(resumed, 1), gradients(resumed, 4)
    off = ((whole - summed).norm() / whole.norm()).item()
    print(f"batch norm {'live' if live else 'frozen'}: gradients differ by {off:.1e}")

# %% [markdown]
# Frozen, they are equal up to rounding. Live, they are not: each part is normalized with its own mean and variance. A part of 2
# pictures is not a fourth of a batch of 8.
#
# ### Several GPUs
#
# The same happens with several GPUs. Each takes a share of the batch, computes its gradients, and all use the mean of them:
#
# `torchrun --nproc-per-node 8 -m colorize train --recipe modern --data FOLDER`
#
# Gradients of a mean add up. Means and variances do not: two halves of a batch are not the batch. Unless the
# GPUs tell each other what they have seen. What must they send? Three things for each channel are enough: the number of pixels,
# their mean, their variance.
#
# ### Exercise 7.5 · Two halves of a batch
# ●●●○○ · 10 minutes
#
# Two parts have `n1` and `n2` pixels. For each of C channels their means and variances are known (the variance is the mean
# squared distance from the mean). Return mean and variance of all pixels together.
#
# <details><summary>Hint 1</summary>A sum is a mean times a number, and sums add up. The mean of the squares is the variance
# plus the square of the mean.</details>
# <details><summary>Hint 2</summary>The squares of part 1 have the mean <code>var1 + mean1**2</code>. Weigh both parts with their
# numbers of pixels, and divide. What must be taken off to make a variance of it?</details>


# %%
@check("7.5")
def combine(n1, mean1, var1, n2, mean2, var2):
    """Numbers n1, n2, the rest (C,) -> mean (C,) and variance (C,) of the whole."""
    # BEGIN SOLUTION
    n = n1 + n2
    mean = (n1 * mean1 + n2 * mean2) / n
    square = (n1 * (var1 + mean1**2) + n2 * (var2 + mean2**2)) / n
    return mean, square - mean**2
    # END SOLUTION


# %% [markdown]
# Halve a real batch: the five photos, three and two, as the batch norm of block 4 sees them.


# %%
def statistics(x):
    """Number of pixels, mean and variance of each channel: (N, C, H, W)."""
    pixels = x.movedim(1, -1).flatten(0, 2)
    return len(pixels), pixels.mean(dim=0), pixels.var(dim=0, correction=0)


x, _ = at_norm("conv4_3", L)  # (5, 64, 16, 16)
n, mean, var = statistics(x)
first, second = statistics(x[:3]), statistics(x[3:])
k = (first[1] - second[1]).abs().argmax()
print(f"channel {k}: first three     last two       all  combined")
both = combine(*first, *second)
for name, place, whole in (("mean", 1, mean), ("variance", 2, var)):
    print(f"{name:12}{first[place][k]:9.3f}{second[place][k]:13.3f}", end="")
    print(f"{whole[k]:10.3f}{both[place - 1][k]:9.3f}")
off = (both[1] - var).abs().max() / var.max()
print(f"largest difference over all channels, relative: {off:.0e}")

# %% [markdown]
# With these numbers sent around, eight GPUs give what one large GPU would give, up to rounding. PyTorch calls it
# `SyncBatchNorm`; `colorize train` takes it when there are several GPUs. It costs a message for each of the seven batch norms,
# forward and backward. It exists on GPUs only: several processes on CPUs normalize each share alone. We have run two processes
# on a CPU; we have not run several GPUs.
#
# ## 8. Loss curves that went wrong
#
# Three small trainings, each with one fault. The cell that runs them is folded. **Predict** from the curves, before you open
# it, which is which: (1) the learning rate is much too high, (2) the loss is the sum over the pixels, not their mean, (3) the
# network sees the same four scenes again and again.


# %%
class Few:
    """The same scenes in every batch."""

    def __init__(self, world, n):
        self.pictures = world.batch(n, seed=12_345)[0]

    def batch(self, n, seed):
        return self.pictures[:n]


held_out = tiny.scenes(50, seed=9_000_000)  # scenes that no training sees


def validation(network):
    """A report for ``fit``: the loss on scenes that the network has not seen."""
    step = network.stride

    def report(_history):
        with torch.inference_mode():
            answer = network(held_out.lightness[:, None])
        loss = classification()(answer, held_out.ab[:, :, ::step, ::step])
        return {"validation": loss.item()}

    return report


# %% jupyter={"source_hidden": true}
def run(network, data, steps, batch, peak, loss=None, **more):
    """A short training. A report, if there is one, is made every tenth step."""
    more = {"report_every": 10, "progress": False} | more
    return fit(network, data, loss or classification(), steps, batch, peak, **more)


def summed(answer, true_ab):
    """Loss added up over the pixels of a picture instead of averaged."""
    return classification()(answer, true_ab) * true_ab[0, 0].numel()


torch.manual_seed(0)
thinner = ZhangNet(width=1 / 16)
small, other = SmallNet(width=size.width), SmallNet(width=size.width)
curves = {
    "A": run(thinner, tiny, size.steps // 15, 16, 0.3, rate=staircase({})),
    "B": run(small, Few(tiny, 4), size.steps // 10, 4, 1e-2, report=validation(small)),
    "C": run(other, ToyWorld(88), size.steps // 40, 4, 4e-3, summed),
}

# %% jupyter={"source_hidden": true} tags=["trained"]
fig, axes = panels(1, 3, (3.5, 3.1))
for ax, (name, found) in zip(axes, curves.items(), strict=True):
    steps_done = range(1, len(found.losses) + 1)
    ax.plot(steps_done, found.losses, color="black", label="training")
    ax.set(title=name, xlabel="step", ylabel="loss", yscale="log")
report = curves["B"].reports
axes[1].plot(
    [r["step"] for r in report],
    [r["validation"] for r in report],
    "o--",
    color="C1",
    mfc="white",
    label="unseen scenes",
)
axes[1].legend(frameon=False)
axes[1].set(yscale="linear", ylabel="loss (nats)")
axes[2].set(yscale="linear", ylim=(0, 13_000))
show(
    fig,
    alt="Three curves. A jumps from 6 to hundreds at once, falls back and stays flat "
    "near 2.8. B: training falls steadily to 1.3, unseen scenes first fall, then turn "
    "and rise slowly. C starts near 11,500 and falls smoothly.",
    caption="Three trainings with one fault each. The vertical axis of A is logarithmic.",
)

# %% tags=["trained"]
high, few, total_loss = curves["A"].losses, curves["B"], curves["C"].losses
posterior = tiny.posterior(held_out.kind, soft=True)  # (50, 313, 24, 24)
constant = torch.special.entr(posterior.mean(dim=(0, 2, 3))).sum()
least = tiny.cross_entropy_floor(held_out.kind, soft=True)
print(f"unseen scenes: the best constant answer costs {constant:.2f} nats,", end=" ")
print(f"the best answer {least:.2f}")
with torch.inference_mode():
    answers = thinner(held_out.lightness[:, None]).softmax(dim=1)
print(f"A: {high[0]:.1f}, {high[1]:.0f}, ..., {sum(high[-20:]) / 20:.2f};", end=" ")
same = torch.allclose(answers, answers[:1, :, :1, :1], atol=1e-4)
print("the same answer at every pixel:", same)
seen_best = min(few.reports, key=lambda r: r["validation"])
print(f"B: training ends at {few.losses[-1]:.2f}; unseen scenes: lowest", end=" ")
print(f"{seen_best['validation']:.2f}, at the end {few.reports[-1]['validation']:.2f}")
print(f"C: {total_loss[0]:,.0f}; divided by 44 x 44: {total_loss[0] / 44**2:.2f}")

# %% [markdown]
# - **A, learning rate too high.** *Symptom:* one huge value at the start, then a flat line far above the floor. *Cause:* the first
#   steps were so large that in the last layers every ReLU answers 0, to every pixel. A ReLU at 0 passes no gradient back, so it
#   stays there. Only the bias of the head can still learn: one distribution for all pixels. *How to notice:* the curve is flat at
#   what the best constant answer costs, the entropy of all colors of this world, about 2.7 nats. *Cure:* a lower rate (0.004
#   instead of 0.3), and smaller first steps, as `fit` takes them unless told otherwise.
# - **B, overfitting.** *Symptom:* the training loss falls below the floor that holds for unseen scenes, 1.38; the loss on those
#   turns around and rises. *Cause:* four scenes can be learned by heart. *How to notice:* only by measuring on pictures that
#   were not trained on. *Cure:* more pictures, or an earlier end.
# - **C, sum instead of mean.** *Symptom:* a loss in the thousands that falls as it should. *Cause:* 44 x 44 pixels times 5.746,
#   which is ln 313, make 11,124; an untrained network starts a little above. Users of public code have taken it for a failure.
#   It is none: Adam divides by the size of the gradient, so its steps are nearly the same. Two things do change. Plain gradient
#   descent would take steps 1,936 times as long. And weight decay means something else where it is a part of the gradient, as
#   in the paper's training. *How to notice:* divide by the number of pixels, and compare with ln 313.
#
# ## 9. On photos
#
# `zhang_small` is the paper's network with an eighth of its channels. It was trained as `rebalanced` was: the same photos, the
# same loss, the same steps, 28 and 27 minutes (`zhang_small` in bfloat16). Both answer with T = 0.38 here.
#
# **Predict.** Which of the two has more numbers, and which more arithmetic? Which colors the five photos better?

# %%
pair = {name: Colorizer.load(name) for name in ("rebalanced", "zhang_small")}
print("                numbers   multiply-adds, 128 x 128")
for name, colorizer in pair.items():
    count = sum(p.numel() for p in colorizer.network.parameters())
    adds = multiply_adds(colorizer.network, 128, 128)
    print(f"{name:12}{count:12,}{adds / 1e9:12.2f} billion")

# %% jupyter={"source_hidden": true} tags=["trained"]
colored = {"photo": list(photos)}
for name, colorizer in pair.items():
    colored[name] = [images.to_tensor(colorizer.colorize(photo)) for photo in photos]
inches = size.scene / 32  # 1.5
fig, axes = panels(3, 5, (inches, inches + 0.2))
for k, (name, shown) in enumerate(colored.items()):
    for j, image in enumerate(shown):
        chroma = mean_chroma(rgb_to_lab(image[None])[:, 1:]).item()
        picture(axes[5 * k + j], image, f"chroma {chroma:.1f}")
    name_row(axes[5 * k], name)
show(
    fig,
    alt="Five photos in three rows: as taken, colored by rebalanced, colored by "
    "zhang_small. The last row is duller: a green cat, a gray cup, a brownish night.",
    caption="Photo, `rebalanced`, `zhang_small`, both at T = 0.38. Neither has seen "
    "these photos.",
)

# %% [markdown]
# Five pictures decide nothing. On 97 validation photos, squares of 128 pixels (the numbers are stored with the weights):

# %%
shown = {name: pair["zhang_small"].results[name] for name in ("truth", "gray")}
for name, colorizer in pair.items():
    shown |= {key: row for key, row in colorizer.results.items() if name in key}
print("                          raw AuC  rebalanced AuC  chroma")
for name, row in shown.items():
    print(f"{name:24}{row['raw_auc']:8.1f}", end="")
    print(f"{row['rebalanced_auc']:14.1f}{row['chroma']:10.1f}")

# %% [markdown]
# AuC is the share of pixels within a distance of the true color, averaged over the distances from 0 to 150; in the rebalanced
# one rare colors count more (lesson 8 builds both). By plain pixels `zhang_small` is ahead of `rebalanced`, and a gray photo of
# both: who paints less errs less there (lesson 5). Where rare colors count more, `rebalanced` is ahead, by less than the
# intervals are wide (they stand in the cards, `data/weights/zhang_small.md` and `rebalanced.md`). One has 3.5 times the numbers
# and another shape, at once. So this does not say which shape is better. And a thin copy, trained for 28 minutes, says little
# about the paper's network.
#
# ### Narrow, or broad
#
# KTH's main choice was another: not all of ImageNet, but 42,556 photos of 33 related classes, mostly fruit and vegetables. Their
# network then did better on such photos than the authors' released one: rebalanced AuC 81.0 against 78.6 % (their Table 2). But
# the two differ in more than their photos. Our small twins differ in nothing else: `narrow` has learned from thumbnails of horses,
# `broad` from all ten kinds of CIFAR-10, both for 2,000 steps of 128. Both are measured on the same unseen horses.
#
# **Predict.** Which is better on horses?

# %%
stored = read_results("networks")
print("on unseen horses, 32 x 32   raw AuC (95 %)         rebalanced AuC (95 %)")
for key in ("narrow", "broad on narrow"):
    for name, row in stored.get(key, {"rows": {}})["rows"].items():
        if name.split(",")[0] in ("narrow", "broad"):
            print(f"  {name:22}", end="")
            for measure in ("raw_auc", "rebalanced_auc"):
                low, high = row["intervals"][measure]
                print(f"{row['numbers'][measure]:8.1f} ({low:.1f} to {high:.1f})", end="")
            print()

# %% [markdown]
# Not much between them: `narrow` is ahead by half a point of raw AuC, `broad` by up to one of the rebalanced AuC. The intervals
# overlap. (That alone does not prove the two equal: an interval of their difference, photo by photo, would likely be narrower.) And
# `broad` has looked at horses a tenth as often. At 32 pixels and with 2,000 steps, narrowing has bought little here. That does not
# refute KTH, who had larger photos, and 75 times as many steps.
#
# ### The authors' own weights
#
# The authors have published their network for PyTorch, 129 MB. This course can load it. Nothing is downloaded unless you say
# so: set `DOWNLOAD = True` and run the cell again. It is downloaded once. Without a network connection the cell says so, and
# nothing else happens.

# %%
DOWNLOAD = False
if DOWNLOAD:
    try:
        published = Colorizer.load("zhang2016")
        answers = [images.to_tensor(published.colorize(photo, T=1.0)) for photo in photos]
        show(
            pictures(answers, images.BUNDLED, inches=1.9),
            alt="The five photos, colored by the network that the authors published.",
            caption="The authors' network, at T = 1, as their own PyTorch code decodes.",
        )
    except WeightsError as error:
        print(error)
else:
    print('not downloaded; DOWNLOAD = True fetches "zhang2016", 129 MB')

# %% [markdown]
# ## What the papers say, what we measured
#
# | | papers | exact | this lesson |
# |---|---|---|---|
# | effective dilation | 1 1 2 2 4 4 4 8 8 8, six times 16, 8 8 8 4 4 4 (supplementary, Table 1) | the same | the same |
# | receptive field | not reported | 325 pixels before `conv8_1`, 349 at the end | 349, by gradient |
# | size | 129 MB (Zhang et al. 2016, Table 1) | 32,230,393 numbers, 128.9 MB | the same |
# | a picture | 100 ms on a K40 (supplementary, Table 2) | 41.8 billion multiply-adds at 256 x 256 | |
# | a training | about 450,000 steps of 40 (the authors' released training files); 150,000 in about 20 hours on a V100 (KTH, section 5.1) | 2.1 x 10^18 operations for 450,000 | most of a year on one thread of a CPU, extrapolated from one step; on a GPU not run |
# | channels of blocks 7 and 8 | 256 and 128 (supplementary, Table 1), 512 and 256 (KTH, Table 1, and the released network) | only the latter is 129 MB | 512 and 256 |
# | rebalanced AuC | 67.3 %, gray 58.0 % (Zhang et al., Table 1) | | `zhang_small` 66.2 %, gray 63.0 %, at T = 0.38: other photos, not to be compared |
# | narrow against broad | 81.0 against 78.6 % (KTH, other trainings) | | 75.8 against 76.8 %, twins, T = 0.38; their intervals overlap |
#
# **Take away**
# 1. A layer can use only what it sees. Dilation widens that at no cost, and the field is an upper bound, not what is used.
# 2. Memory, arithmetic and days of a training can be computed before it starts. Do so: a measured step and a multiplication
#    tell a week from a year.
# 3. Batch norm ties the pictures of a batch together. That is why it resists cutting a batch in parts and several GPUs. Its running
#    means belong in a checkpoint. After training it is a multiplication and an addition, which fold into the next convolution
#    except at the rim, where the padding stands between them.
#
# ## Questions
#
# <details><summary>Could one fold batch norm exactly after all, by padding with something else than zeros?</summary>Yes. The folded
# convolution needs, outside of the picture, what the batch norm would turn into 0: for each channel the value -shift / scale. Pad
# with that by hand, convolve without padding, and the frame is exact. It costs a copy of the map.</details>
# <details><summary>A stride of 2 more in block 4 instead of dilation: what would it change?</summary>Blocks 5 and 6 would widen
# the field by the same, block 7 by more, and the arithmetic of the three would fall to a quarter. But the answers would come at
# every 16th pixel, and conv8 would have to double the resolution twice to come back to a quarter.</details>
# <details><summary>A training of 10 days is killed on average once a day. How often should it write a checkpoint?</summary>What
# is lost at a kill is half the distance between checkpoints, on average. With one each hour it is half an hour a day, 2 %. With
# one every ten minutes it is 0.3 %, and a file of 387 MB (weights and Adam's two means; gradients need not be kept) takes
# seconds to write.</details>
# <details><summary>Why does the sum of the losses change the meaning of weight decay?</summary>Where weight decay is a part of
# the gradient, the weights are pulled by (gradient of the loss) + decay x weight. If the loss is 1,936 times larger, the same
# decay is 1,936 times weaker beside it. AdamW takes the decay out of the gradient, and does not care.</details>
# <details><summary>Your batch norm sees 2 pictures on each of 8 GPUs. Is SyncBatchNorm worth its messages?</summary>Probably:
# mean and variance of 2 pictures jump from step to step. With 64 on each GPU they are steady, and many trainings go without it.
# The pixels of one picture are alike, so it is the pictures that count, more than the pixels.</details>

# %%
check.scorecard()
