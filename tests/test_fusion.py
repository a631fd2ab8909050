"""Fusion of local and global features: as the paper's table and formula say, at any size, with any embedding."""

import itertools
import shutil
import sys
import types

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from colorize import images, recipes, train, weights
from colorize.colorizer import NETWORKS, Colorizer
from colorize.files import data_folder
from colorize.lab import rgb_to_lab, to_gray
from colorize.networks import Classifier, FusionNet
from colorize.networks.embedding import EmbeddingError, Embeddings, Glance, Inception, stacked
from colorize.networks.fusion import ENCODER, LIMIT, Told, joint_loss, labeled_colors, reach
from colorize.training import fit


class Mean(nn.Module):
    """An embedding that is easy to know: the mean L of a picture and its square, and how often it was asked."""

    size = 2

    def __init__(self):
        super().__init__()
        self.seen = 0

    def forward(self, lightness):
        self.seen += len(lightness)
        mean = lightness.mean(dim=(1, 2, 3)) / 100
        return torch.stack((mean, mean.square()), dim=1)


class Fixed(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size


def some(n=2, height=33, width=47, seed=0):
    return torch.rand(n, 1, height, width, generator=torch.Generator().manual_seed(seed)) * 100


@pytest.fixture(autouse=True)
def _seeded():
    """Networks are made before anything is seeded: without this their weights depend on the tests that ran before."""
    torch.manual_seed(0)


def lively(network, seed=0):
    """Batch norms with statistics as after a training, so that features differ from place to place."""
    network.train()
    with torch.no_grad():
        for k in range(20):
            network(some(4, 32, 32, seed=seed + k))
    return network.eval()


# What goes in, and what an embedding of its own sums up


def test_the_encoder_sees_l_between_minus_one_and_one():
    network = FusionNet(width=1 / 16, embedding="none")
    network.encoder = nn.Identity()
    gray = torch.tensor([0.0, 25.0, 50.0, 100.0]).view(1, 1, 2, 2)
    assert network.encode(gray).flatten().tolist() == [-1, -0.5, 0, 1]


def test_an_embedding_of_its_own_is_a_mean_over_places():
    network = FusionNet(width=1 / 16, embedding="own")
    network.glance, network.summary = nn.Identity(), nn.Identity()
    local = torch.tensor([[1.0, 2.0, 9.0], [-3.0, 0.0, 0.0]]).view(1, 2, 1, 3)
    assert network.embed(some(1), local).tolist() == [[4, -1]]


def test_the_true_colors_of_a_training_with_classes_are_those_of_every_other_pixel_from_the_first():
    rgb = torch.rand(1, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    _, (ab, label) = labeled_colors()((rgb, torch.tensor([7])))
    assert torch.equal(ab[0, :, 1, 2], rgb_to_lab(rgb)[0, 1:, 2, 4])
    assert ab.shape == (1, 2, 2, 3) and label.tolist() == [7]


# The architecture


def test_the_papers_network_has_as_many_numbers_as_the_papers():
    """Table 1, multiplied out by hand: 6.57 million, as their code reports."""
    channels = [1, *(c for c, _ in ENCODER)]
    expected = sum(9 * a * b + b for a, b in itertools.pairwise(channels))
    expected += (256 + 1001) * 256 + 256
    expected += sum(9 * a * b + b for a, b in ((256, 128), (128, 64), (64, 64), (64, 32), (32, 2)))
    with torch.device("meta"):
        network = FusionNet(width=1, embedding=Fixed(1001), norm=False)
    assert sum(p.numel() for p in network.parameters()) == expected == 6_574_050
    assert [(c.out_channels, c.stride[0]) for c in network.encoder.modules() if isinstance(c, nn.Conv2d)] == [
        (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 1), (256, 1)
    ]  # fmt: skip


@pytest.mark.parametrize("height, width", [(32, 32), (33, 47), (1, 1), (7, 8), (9, 65), (130, 18)])
@pytest.mark.parametrize("embedding", ["classifier", "own", "none"])
def test_any_size_and_aspect_ratio(height, width, embedding):
    network = FusionNet(width=1 / 16, embedding=embedding).eval()
    answer = network(some(1, height, width))
    assert answer.shape == (1, 2, -(-height // 2), -(-width // 2))
    local = network.encode(some(1, height, width))
    assert local.shape == (1, 16, -(-height // 8), -(-width // 8))
    assert answer.abs().max() <= LIMIT


def test_nearest_upsampling_stays_in_place():
    """The four cells below a cell are its copies, also where the size is odd."""
    network = FusionNet(width=1 / 16, embedding="none")
    network.decoder = nn.ModuleList([nn.Identity()] * 3)
    coarse = torch.randn(1, 2, 3, 5)
    found = network.decode(coarse, 8 * 3 - 5, 8 * 5 - 7)  # 10 x 17 of 12 x 20
    expected = np.kron(coarse[0].numpy(), np.ones((1, 4, 4)))[:, :10, :17]
    assert np.allclose(torch.atanh(found / LIMIT)[0], expected, atol=1e-4)


@pytest.mark.parametrize("norm", [False, True])
def test_fusion_is_a_product_with_the_features_plus_one_with_the_embedding(norm):
    """Replication and a 1 x 1 convolution equal W_local x + W_global g + b at each place (section 3.1, Figure 3)."""
    network = FusionNet(width=1 / 8, embedding=Mean(), norm=norm).eval()
    random = torch.Generator().manual_seed(1)
    local = torch.randn(3, 32, 4, 6, generator=random)
    embedding = torch.randn(3, 2, generator=random)
    conv = network.fusion[0]
    weight = conv.weight[:, :, 0, 0].detach().double()
    expected = torch.einsum("oc,nchw->nohw", weight[:, :32], local.double())
    expected += torch.einsum("oe,ne->no", weight[:, 32:], embedding.double())[:, :, None, None]
    if conv.bias is not None:
        expected += conv.bias.detach().double()[:, None, None]
    if norm:
        expected /= (1 + 1e-5) ** 0.5
    assert (network.fuse(local, embedding).double() - expected.clamp(min=0)).abs().max() < 1e-5


def test_an_embedding_can_be_given():
    network = lively(FusionNet(width=1 / 16))
    lightness = some(3, 40, 40)
    own = network(lightness)
    embedding = network.embed(lightness)
    assert torch.equal(network(lightness, embedding=embedding), own)
    other = network(lightness, embedding=embedding.roll(1, dims=0))
    assert not torch.allclose(other, own, atol=1e-3)
    for k in range(3):  # only the picture's own embedding counts, and that of no other
        alone = network(lightness[k : k + 1], embedding=embedding[k - 1 : k]) if k else None
        assert alone is None or torch.allclose(alone[0], other[k], atol=1e-4)
    with pytest.raises(ValueError, match=r"embedding must have shape \(3, 160\), got \(1, 160\)"):
        network(lightness, embedding=embedding[:1])


def test_without_an_embedding_far_away_is_unseen_and_with_one_it_is_not():
    """What `reach` says is what a change of the pixels shows."""
    where = torch.zeros(96, 160, dtype=torch.bool)
    where[:6, :6] = True
    lightness = some(1, 96, 160)
    changed = torch.where(where, 100 - lightness, lightness)
    for embedding, everywhere in (("none", False), ("own", True)):
        network = lively(FusionNet(width=1 / 8, embedding=embedding)).double()
        seen = reach(network, where)
        assert seen.shape == (48, 80)
        assert seen[0, 0] and not seen[-1, -1] and 0 < seen.sum() < seen.numel()
        with torch.no_grad():
            moved = (network(lightness.double()) - network(changed.double()))[0].abs().amax(dim=0) > 1e-12
        assert not (moved & ~seen).any() or everywhere
        assert moved[~seen].any() == everywhere
        assert moved[seen].float().mean() > 0.3  # and it is no wild overestimate


def test_reach_is_what_the_layers_add_up_to():
    """One pixel, all layers of kernel 3: to the right it is seen by columns of 2 x, if x - reach <= 0, added up layer by layer."""
    where = torch.zeros(8, 400, dtype=torch.bool)
    where[0, 0] = True
    last = 0  # the last column that sees it, in cells of each layer
    for _, stride in ENCODER:
        last = (last + 1) // stride
    last += 1  # the decoder's first layer
    for layers in (2, 2):
        last = 2 * last + 1 + layers
    seen = reach(FusionNet(width=1 / 16, embedding="none"), where)
    assert seen[0].nonzero().max() == last
    assert seen[0, : last + 1].all()


def test_what_cannot_be_is_refused():
    for arguments, sentence in (
        ({"outputs": 313}, "outputs must be 2, got 313"),
        ({"embedding": "clasifier"}, "one of classifier, inception, own, none, or a module, got 'clasifier'"),
        ({"encoder": [(8, 2), (8, 2)]}, r"three strides of 2 and else 1, got \[2, 2\]"),
        ({"embedding": "none", "classes": 3}, "nothing to name classes from"),
    ):
        with pytest.raises(ValueError, match=sentence):
            FusionNet(**({"width": 1 / 16} | arguments))
    with pytest.raises(ValueError, match="made without classes"):
        FusionNet(width=1 / 16).classify(some())


# The embedding


def test_the_gray_picture_is_stacked_and_squashed():
    rgb = images.bundled("coffee", 64)[None]
    lightness = rgb_to_lab(rgb)[:, :1]
    whole = stacked(lightness, 32)
    assert whole.shape == (1, 3, 32, 32) and torch.equal(whole[:, 0], whole[:, 2])
    same = rgb_to_lab(F.interpolate(rgb, (32, 32), mode="bilinear", antialias=True))[:, :1]
    assert (
        stacked(same, 32) - to_gray(F.interpolate(rgb, (32, 32), mode="bilinear", antialias=True))
    ).abs().max() < 1e-3
    wide = torch.cat((lightness, lightness), dim=3)  # squashed, not cropped: both halves are in it
    assert (stacked(wide, 32)[..., 4:12] - stacked(wide, 32)[..., 20:28]).abs().max() < 0.05


def test_the_embedding_is_the_shipped_classifiers():
    network = FusionNet(width=1 / 16).start()
    judge = weights.load("classifier", {"Classifier": Classifier}).network
    lightness = some(3, 50, 30)
    with torch.inference_mode():
        expected = judge.features(stacked(lightness, 32))
    assert torch.equal(network.train().embed(lightness), expected)


def test_a_training_leaves_the_classifier_alone():
    network = FusionNet(width=1 / 16).start()
    assert not any(p.requires_grad for p in network.extractor.parameters())
    before = {key: value.clone() for key, value in network.state_dict().items()}

    class Data:
        def batch(self, n, seed):
            return torch.rand(n, 3, 16, 16, generator=torch.Generator().manual_seed(seed))

    fit(network, Data(), lambda ab, true: (ab - true).square().mean(), 3, 2, weight_decay=0.5, progress=False)
    for key, value in network.state_dict().items():
        frozen = key.startswith("extractor.")
        assert torch.equal(value, before[key]) == frozen, key


def test_half_precision_does_not_touch_the_embedding():
    network = FusionNet(width=1 / 16).start()
    with torch.autocast("cpu", torch.bfloat16):
        inside = network.embed(some())
    assert inside.dtype == torch.float32 and torch.equal(inside, network.embed(some()))


def test_embeddings_are_computed_once(tmp_path):
    extractor, lightness = Mean(), some(5)
    known = Embeddings(extractor, tmp_path / "known.safetensors", batch=2)
    first = known(lightness)
    assert extractor.seen == 5 and len(known) == 5
    assert torch.equal(first, Mean()(lightness))
    mixed = torch.cat((lightness[3:], some(1, seed=9), lightness[:1], some(1, seed=9)))
    found = known(mixed)
    assert extractor.seen == 6  # the one new picture, once
    assert torch.equal(found[[0, 1, 3]], first[[3, 4, 0]])  # the same bits
    assert torch.equal(found[2], found[4])
    again = Embeddings(other := Mean(), tmp_path / "known.safetensors")
    assert torch.equal(again(mixed), found) and other.seen == 0
    assert known(lightness[:0].new_zeros(1, 1, 33, 47)).shape == (1, 2)
    wider = Embeddings(Mean())
    wider(some(1, 4, 6))
    wider(some(1, 4, 6).view(1, 1, 6, 4))  # the same numbers in another shape are another picture
    assert len(wider) == 2


def test_embeddings_of_something_else_are_refused(tmp_path):
    path = tmp_path / "known.safetensors"
    Embeddings(Mean(), path)(some(1))
    with pytest.raises(EmbeddingError, match=r"embeddings of shape \(2,\), expected \(160,\)"):
        Embeddings(Glance(), path)
    path.write_bytes(b"no such thing")
    with pytest.raises(EmbeddingError, match="holds no embeddings that can be read"):
        Embeddings(Mean(), path)


def test_without_timm_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(EmbeddingError, match="comes with timm, which is not installed: pip install timm"):
        FusionNet(embedding="inception")


def test_inception_through_a_stand_in_for_timm(monkeypatch):
    """What the real one is called with, what it is shown, and that its weights stay out of the file."""
    shown = []

    class Model(nn.Module):
        num_classes = 1001

        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 1001)

        def forward(self, pictures):
            shown.append(pictures)
            return self.layer(pictures.mean(dim=(2, 3)))

    asked = []
    stand_in = types.SimpleNamespace(create_model=lambda *a, **k: asked.append((a, k)) or Model())
    monkeypatch.setitem(sys.modules, "timm", stand_in)
    network = FusionNet(width=1 / 16, embedding="inception").eval()
    assert asked == [(("inception_resnet_v2",), {"pretrained": True})]
    assert network.size == 1001 and network.fusion[0].in_channels == 16 + 1001
    lightness = torch.full((1, 1, 40, 20), 100.0)
    assert network(lightness).shape == (1, 2, 20, 10)
    assert shown[0].shape == (1, 3, 299, 299)
    assert torch.allclose(shown[0], torch.ones(1), atol=1e-3)  # white is 1: between -1 and 1
    network(lightness * 0)
    assert torch.allclose(shown[1], -torch.ones(1), atol=1e-3)
    assert not [key for key in network.state_dict() if key.startswith("extractor")]
    assert not any(p.requires_grad for p in network.extractor.held[0].parameters())

    def broken(*_, **__):
        raise OSError("no network")

    stand_in.create_model = broken
    with pytest.raises(EmbeddingError, match="weights of Inception-ResNet-v2 cannot be had: no network"):
        Inception()


# Classes, as in Iizuka et al.


class Shades:
    """Pictures whose class is how light they are: easy to name."""

    def batch(self, n, seed):
        random = torch.Generator().manual_seed(seed)
        labels = torch.randint(2, (n,), generator=random)
        noise = torch.rand(n, 3, 16, 16, generator=random)
        return 0.3 * noise + 0.6 * labels.view(n, 1, 1, 1), labels


def test_colors_and_classes_at_once():
    torch.manual_seed(0)
    network = FusionNet(width=1 / 8, embedding="own", classes=2)
    answer = network.train()(some(3, 32, 32))
    assert isinstance(answer, Told) and answer.ab.shape == (3, 2, 16, 16) and answer.logits.shape == (3, 2)
    history = fit(
        network, Shades(), joint_loss(), 40, 16, 5e-3, examples=labeled_colors(network.stride), progress=False
    )
    assert history.losses[-1] < history.losses[0]
    pictures, labels = Shades().batch(64, seed=10**6)
    lightness = rgb_to_lab(pictures)[:, :1]
    assert network(lightness).shape == (64, 2, 8, 8)  # evaluated: colors alone
    assert (network.classify(lightness).argmax(dim=1) == labels).float().mean() > 0.95


def test_the_joint_loss_in_their_units():
    """alpha times the cross-entropy beside the mean square of colors in 0..1, times what a step of 1 is in ab units, squared."""
    random = torch.Generator().manual_seed(0)
    told = Told(torch.randn(4, 2, 3, 3, generator=random) * 30, torch.randn(4, 5, generator=random))
    true_ab, labels = torch.randn(4, 2, 3, 3, generator=random) * 30, torch.tensor([0, 4, 2, 2])
    unit = [(ab.numpy() + LIMIT) / (2 * LIMIT) for ab in (told.ab, true_ab)]
    z = told.logits.double().numpy()
    entropy = np.mean([np.log(np.exp(row).sum()) - row[k] for row, k in zip(z, labels, strict=True)])
    for alpha in (1 / 300, 0.1, 0):
        theirs = np.mean((unit[0] - unit[1]) ** 2) + alpha * entropy
        assert joint_loss(alpha)(told, (true_ab, labels)).item() == pytest.approx(theirs * 220**2, rel=1e-5)


def test_the_classes_reach_the_encoder():
    """Their gradient goes through the global features into the features that the colors are made of, too."""
    network = FusionNet(width=1 / 16, embedding="own", classes=3).train()
    F.cross_entropy(network(some(2, 32, 32)).logits, torch.tensor([0, 2])).backward()
    assert network.encoder[0][0].weight.grad.abs().sum() > 0
    assert network.decoder[0][0].weight.grad is None


# As a network of the course


def test_the_weights_file_holds_everything(tmp_path, monkeypatch):
    """Also the classifier: the file works where no other is, is below 4 MB, and colors what the network colored."""
    torch.manual_seed(0)
    network = lively(FusionNet().start())
    path = tmp_path / "fusion.safetensors"
    weights.save(path, network, {"outputs": 2, "width": 0.375, "embedding": "classifier"}, 64, {"loss": "l2"})
    assert path.stat().st_size < 4e6
    monkeypatch.setenv("COLORIZE_DATA", str(tmp_path))  # there is no data/weights/classifier.safetensors
    loaded = Colorizer.load(path)
    assert type(loaded.network) is NETWORKS["FusionNet"]
    lightness = some(1, 64, 80)
    with torch.inference_mode():
        assert (loaded.network(lightness) - network(lightness)).abs().max() < 0.5
    found = loaded.colorize(images.bundled("chelsea"))
    assert found.shape == (300, 451, 3) and found.dtype == np.uint8


def test_the_recipe_is_the_twin_of_l2():
    fusion, twin = recipes.load("fusion"), recipes.load("l2")
    assert (fusion.network, fusion.phases, fusion.loss, fusion.seed) == ("FusionNet", twin.phases, "l2", 0)
    network = recipes.make_network(fusion)
    shipped = weights.load("classifier", {"Classifier": Classifier}).network
    assert torch.equal(network.extractor.classifier.head.weight, shipped.head.weight)
    count = sum(p.numel() for p in network.parameters())
    assert abs(count / sum(p.numel() for p in recipes.make_network(twin).parameters()) - 1) < 0.02


@pytest.mark.parametrize(
    "entries, sentence",
    [
        ('loss = "rebalanced"', "the loss of a FusionNet is one of l2, smooth_l1, got 'rebalanced'"),
        ('loss = "l2"\nembedding = "vgg"', "embedding must be one of classifier, inception, own, none, got 'vgg'"),
    ],
)  # fmt: skip
def test_wrong_recipes(tmp_path, entries, sentence):
    path = tmp_path / "mine.toml"
    phase = "\n[[phases]]\nsize = 32\nsteps = 1\nbatch_size = 2\nlearning_rate = 1e-3\n"
    path.write_text('network = "FusionNet"\n' + entries + phase)
    with pytest.raises(recipes.RecipeError, match=sentence):
        recipes.load(path)


def test_from_photos_to_a_card(tmp_path, monkeypatch):
    """Trained from a recipe, measured, written, loaded, and gone on from its checkpoint: as every network of the course."""
    data, photos = tmp_path / "data", tmp_path / "photos"
    for folder in (data / "recipes", data / "weights", photos):
        folder.mkdir(parents=True)
    shutil.copy(data_folder() / "weights" / "classifier.safetensors", data / "weights")
    (data / "recipes" / "f.toml").write_text(
        'loss = "l2"\nnetwork = "FusionNet"\nwidth = 0.0625\nview = 32\nmeasured = 32\n'
        "[[phases]]\nsize = 32\nsteps = 3\nbatch_size = 2\nlearning_rate = 1e-3\n"
    )
    for n in range(1, 6):  # 2 and 5 are of the validation split
        images.save(images.bundled("coffee", 40 + n), photos / f"{n}.jpg")
    monkeypatch.setenv("COLORIZE_DATA", str(data))
    command = ["-r", "f", "--data", str(photos), "--out", str(tmp_path), "--weights", str(data / "weights")]
    assert train.main([*command, "--device", "cpu"]) == 0
    loaded = Colorizer.load("f")
    assert type(loaded.network) is FusionNet and loaded.recipe["embedding"] == "classifier"
    judge = weights.load("classifier", {"Classifier": Classifier}).network.state_dict()
    mine = loaded.network.extractor.classifier.state_dict()
    assert all(torch.equal(mine[key], judge[key]) for key in judge)
    card = (data / "weights" / "f.md").read_text()
    assert "told what the whole picture shows (`colorize.networks.FusionNet`" in card
    assert "answers with\na and b." in card and "| f | " in card
    assert train.main([*command, "--device", "cpu"]) == 0  # from its checkpoint, where nothing is left to do
    again = Colorizer.load("f").network.state_dict()
    assert all(torch.equal(again[key], value) for key, value in loaded.network.state_dict().items())
