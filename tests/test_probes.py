"""Linear probes: the features are what the level answers, the regression is at its minimum, and it finds what is there."""

import pytest
import torch
import torch.nn.functional as F
from skimage import color

from colorize import images, probes
from colorize.networks import Classifier, SmallNet, ZhangNet


def test_features_are_the_answers_of_the_levels():
    torch.manual_seed(0)
    network = SmallNet(width=4)
    lightness = 100 * torch.rand(5, 1, 32, 32)
    found = probes.features(network, lightness, batch=2)
    with torch.no_grad():
        expected = network.eval().encode(lightness)
    assert list(found) == ["1/2", "1/4", "1/8", "1/16", "1/32"]
    for answer, level in zip(found.values(), expected, strict=True):
        assert (answer - probes.pooled(level)).abs().max() < 1e-5
    assert not any(module._forward_hooks for module in network.modules())  # left as it was
    assert list(probes.features(ZhangNet(width=1 / 16), lightness)) == [f"conv{k}" for k in range(1, 8)]
    with pytest.raises(ValueError, match="a SmallNet or a ZhangNet can be probed, got a Classifier"):
        probes.features(Classifier(), lightness)


def test_encode_is_the_way_down():
    torch.manual_seed(0)
    network = SmallNet(width=4).eval()
    shapes = [tuple(level.shape[1:]) for level in network.encode(torch.zeros(1, 1, 40, 64))]
    assert shapes == [(4, 20, 32), (8, 10, 16), (12, 5, 8), (16, 3, 4), (16, 2, 2)]


@pytest.mark.parametrize(
    ("shape", "size"), [((2, 4, 40, 40), 1024), ((2, 1024, 5, 5), 1024), ((2, 2000, 3, 3), 2000)]
)
def test_pooled_keeps_the_mean_and_the_budget(shape, size):
    answer = torch.rand(shape)
    found = probes.pooled(answer)
    assert found.shape == (2, size)
    by_channel = found.view(2, shape[1], -1).mean(dim=2)
    if answer.shape[2] % max(1, int((size / shape[1]) ** 0.5)) == 0:
        assert (by_channel - answer.mean(dim=(2, 3))).abs().max() < 1e-5


def test_a_random_network_gets_the_statistics_of_pictures():
    torch.manual_seed(0)
    network = SmallNet(width=4)
    lightness = 100 * torch.rand(64, 1, 32, 32)
    probes.untrained(network, lightness)
    with torch.no_grad():
        convolution, norm, _ = network.stem
        seen = norm(convolution((lightness - 50) / 50))
    assert seen.mean(dim=(0, 2, 3)).abs().max() < 1e-3
    assert (seen.var(dim=(0, 2, 3)) - 1).abs().max() < 1e-2
    assert not network.training


def test_the_regression_is_at_its_minimum():
    torch.manual_seed(0)
    x, labels = torch.randn(200, 6), torch.randint(3, (200,))
    weight, bias = probes._regression(x, labels, decay=0.01)
    weight, bias = weight.requires_grad_(), bias.requires_grad_()
    loss = F.cross_entropy(x @ weight + bias, labels) + 0.005 * weight.square().sum()
    loss.backward()
    assert weight.grad.abs().max() < 1e-3 and bias.grad.abs().max() < 1e-3


def test_a_probe_finds_what_is_linear_and_only_that():
    torch.manual_seed(0)
    x = torch.randn(600, 5) * torch.tensor([1.0, 100, 0.01, 1, 1]) + 50  # scale and offset do not matter
    linear = ((x[:, 2] - 50) * 100 + (x[:, 3] - 50) > 0).long()
    ring = ((x[:, 3] - 50).square() + (x[:, 4] - 50).square() > 1.4).long()
    for labels, low, high in ((linear, 0.95, 1), (ring, 0.35, 0.65)):
        answers = probes.probe(x[:400], labels[:400], x[400:])
        assert low <= (answers == labels[400:]).float().mean() <= high
    assert torch.equal(
        probes.probe(x[:400], linear[:400], x[400:]), probes.probe(x[:400], linear[:400], x[400:])
    )


def test_bad_features_are_refused():
    x = torch.zeros(20, 3)
    with pytest.raises(
        ValueError, match=r"\(N, D\), \(N,\) and \(M, D\), got \(20, 3\), \(20,\) and \(5, 2\)"
    ):
        probes.probe(x, torch.zeros(20).long(), torch.zeros(5, 2))
    with pytest.raises(ValueError, match="10 pictures or more, got 4"):
        probes.probe(x[:4], torch.zeros(4).long(), x)


def test_gray_is_the_lightness_alone():
    photo = images.square(images.bundled("coffee"), 32)
    found = probes.gray(photo[None], 32)
    assert (
        found[0, 0] - torch.from_numpy(color.rgb2lab(photo.movedim(0, -1).numpy())[..., 0])
    ).abs().max() < 1e-3
    assert probes.gray(photo[None], 64).shape == (1, 1, 64, 64)


def test_labels_teach_the_way_down():
    class Bright:
        classes = ("dark", "bright")

        def batch(self, n, seed):
            level = torch.rand(n, 1, 1, 1, generator=torch.Generator().manual_seed(seed))
            rgb = (255 * level.expand(n, 3, 16, 16)).to(torch.uint8)
            return rgb, (level.flatten() > 0.5).long()

    network, history = probes.train_on_labels(Bright(), size=32, steps=25, progress=False)
    assert isinstance(network, SmallNet)
    assert sum(history.losses[-5:]) / 5 < 0.5 < history.losses[0]
