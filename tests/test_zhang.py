"""The network of the paper: its counts, its columns, what a pixel can see, and the authors' own names of its layers."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from colorize.bins import gamut_bins
from colorize.networks import ZhangNet
from colorize.networks.zhang import RELEASE, SUPPLEMENTARY, from_published, layer_table, multiply_adds


def count(network, *parts):
    return sum(p.numel() for name, p in network.named_parameters() if name.startswith(parts))


# Sizes


def test_the_release_has_the_papers_number_of_parameters():
    network = ZhangNet()
    assert count(network, "convs", "head") == 32_230_393  # x 4 bytes = 128.9 MB; the paper says 129 MB
    assert count(network, "norms") == 4_992
    assert count(network, "") == 32_235_385
    assert len(network.convs) == 22


def test_the_supplementary_version_has_its_own():
    network = ZhangNet(version="supplementary")
    assert count(network, "convs", "head") == 25_012_985
    assert count(network, "convs", "head", "taps") == 25_414_564
    assert list(network.taps) == ["conv5_3", "conv6_3", "conv7_3"]  # conv8_3's is the head


def test_the_papers_columns():
    """Table 1 of the supplementary material, columns S_a and D_e."""
    stride = [1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 4, 4, 4]
    dilated = [1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 16, 16, 16, 16, 16, 16, 8, 8, 8, 4, 4, 4]
    for layers in (RELEASE, SUPPLEMENTARY):
        rows = layer_table(layers)
        assert [row.accumulated_stride for row in rows] == stride
        assert [row.effective_dilation for row in rows] == dilated
    assert [224 // row.spacing for row in rows] == [
        224,
        112,
        112,
        56,
        56,
        56,
        *[28] * 13,
        56,
        56,
        56,
    ]  # column X


def seen_by_one_answer(layers, last, size):
    """Which input pixels change the middle answer of a layer: a network of ones tells by its gradient."""
    x = torch.ones(1, 1, size, 5, dtype=torch.float64, requires_grad=True)
    y, scale = x, 1e-3
    for layer in layers[: last + 1]:
        if layer.stride < 1:
            y = nn.functional.conv_transpose2d(
                y, torch.ones(1, 1, 4, 4).double() * scale, stride=2, padding=1
            )
        else:
            kernel = torch.ones(1, 1, 3, 3).double() * scale
            y = nn.functional.conv2d(
                y, kernel, stride=layer.stride, padding=layer.dilation, dilation=layer.dilation
            )
        y = y / y.detach().abs().max()
    y[0, 0, y.shape[2] // 2, 0].backward()
    rows = x.grad[0, 0].abs().sum(dim=1).nonzero()
    return (rows.max() - rows.min() + 1).item()


@pytest.mark.parametrize("last", [0, 1, 4, 6, 9, 12, 18, 19, 20, 21])
def test_the_receptive_field_is_what_a_gradient_finds(last):
    found = seen_by_one_answer(RELEASE, last, 800)
    row = layer_table()[last]
    assert found == row.receptive_field


def test_one_changed_pixel_moves_answers_inside_the_field_only():
    """The network itself, not its table: beyond half the field of 349 pixels nothing moves."""
    torch.manual_seed(0)
    network = ZhangNet(width=1 / 16).eval().double()
    plain = torch.full((1, 1, 480, 16), 50.0).double()
    changed = plain.clone()
    changed[0, 0, 240, 8] = 90
    with torch.no_grad():
        moved = (network(plain) - network(changed)).abs().amax(dim=(1, 3))[0].nonzero().flatten() * 4
    assert moved.min() >= 240 - 349 // 2 - 4
    assert moved.max() <= 240 + 349 // 2 + 4
    assert moved.max() - moved.min() > 100


# Answers


@pytest.mark.parametrize("size", [(8, 8), (9, 9), (13, 30), (64, 48), (33, 65), (1, 3)])
@pytest.mark.parametrize("outputs", [2, 313])
def test_it_answers_at_a_quarter_of_the_size_rounded_up(size, outputs):
    network = ZhangNet(outputs, width=1 / 32).eval()
    answer = network(torch.full((2, 1, *size), 50.0))
    assert answer.shape == (2, outputs, -(-size[0] // 4), -(-size[1] // 4))


@pytest.mark.parametrize(("outputs", "scale"), [(2, 50), (313, 1)])
def test_the_answer_is_the_heads_cut_at_the_bottom_and_the_right(outputs, scale):
    """9 x 13 pixels are 2 x 2 values after three halvings and 4 x 4 after a doubling; wanted are 3 x 4."""
    network = ZhangNet(outputs, width=1 / 16).eval()
    found = []
    network.convs["conv8_3"].register_forward_hook(lambda _module, _x, y: found.append(torch.relu(y)))
    with torch.no_grad():
        answer = network(torch.rand(1, 1, 9, 13) * 100)
        assert found[0].shape[2:] == (4, 4)
        torch.testing.assert_close(answer, scale * network.head(found[0][:, :, :3, :4]))


def test_batch_norm_ends_seven_blocks_or_none():
    assert list(ZhangNet(width=1 / 32).norms) == [
        f"conv{k}_{last}" for k, last in enumerate((2, 2, 3, 3, 3, 3, 3), start=1)
    ]
    assert not ZhangNet(width=1 / 32, norm=False).norms


def test_the_taps_answer_at_an_eighth():
    network = ZhangNet(width=1 / 32, version="supplementary").eval()
    lightness = torch.rand(2, 1, 40, 24) * 100
    with torch.no_grad():
        answers = network(lightness, taps=True)
        assert [tuple(answer.shape) for answer in answers] == [(2, 313, 5, 3)] * 3 + [(2, 313, 10, 6)]
        assert torch.equal(answers[-1], network(lightness))


def test_the_signal_keeps_its_size_on_the_way():
    """He's start, the transposed convolution included: the second moment changes by less than 4 from layer to layer."""
    torch.manual_seed(0)
    network = ZhangNet(width=1 / 2, norm=False)
    x = torch.randn(1, 1, 128, 128)
    moments = []
    with torch.no_grad():
        for conv in network.convs.values():
            x = torch.relu(conv(x))
            moments.append(x.square().mean())
    ratios = [(b / a).item() for a, b in pairwise(moments)]
    assert all(0.4 < ratio < 2.5 for ratio in ratios), ratios


def test_every_parameter_gets_a_gradient():
    torch.manual_seed(0)
    network = ZhangNet(width=1 / 8, version="supplementary")
    answers = network(torch.rand(2, 1, 64, 64) * 100, taps=True)
    sum(answer.square().mean() for answer in answers).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="version must be one of release, supplementary, got 'v2'"):
        ZhangNet(version="v2")
    with pytest.raises(ValueError, match="width must be above 0, got 0"):
        ZhangNet(width=0)


# The authors' published weights


class Published(nn.Module):
    """The authors' PyTorch network, written from its description: blocks of convolution, ReLU, batch norm at the end."""

    def __init__(self):
        super().__init__()
        inputs = 1
        plan = [
            (64, 2, 2, 1),
            (128, 2, 2, 1),
            (256, 3, 2, 1),
            (512, 3, 1, 1),
            (512, 3, 1, 2),
            (512, 3, 1, 2),
            (512, 3, 1, 1),
        ]
        for number, (channels, count, stride, dilation) in enumerate(plan, start=1):
            block = []
            for k in range(count):
                step = stride if k == count - 1 else 1
                block += [nn.Conv2d(inputs, channels, 3, step, dilation, dilation), nn.ReLU()]
                inputs = channels
            self.add_module(f"model{number}", nn.Sequential(*block, nn.BatchNorm2d(channels)))
        block = [nn.ConvTranspose2d(512, 256, 4, 2, 1), nn.ReLU()]
        block += [nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()]
        self.model8 = nn.Sequential(*block, nn.Conv2d(256, 313, 1))
        self.model_out = nn.Conv2d(313, 2, 1, bias=False)
        self.model_out.weight.data = (gamut_bins().T / 110).reshape(2, 313, 1, 1)

    def forward(self, lightness):
        """The logits, before softmax and model_out."""
        x = (lightness - 50) / 100
        for number in range(1, 9):
            x = getattr(self, f"model{number}")(x)
        return x


@pytest.fixture(scope="module")
def published():
    torch.manual_seed(0)
    network = Published().eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module is not network.model_out:
            # PyTorch's own start is so small that after 22 layers hardly anything is left of what comes in.
            nn.init.kaiming_normal_(module.weight)
        if isinstance(module, nn.BatchNorm2d):  # not the numbers that every batch norm starts with
            for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                tensor.data.uniform_(0.5, 1.5)
    assert sum(p.numel() for p in network.parameters()) == 32_236_011
    return network


def test_published_weights_give_the_published_answers(published):
    network = ZhangNet().eval()
    network.load_state_dict(from_published(published.state_dict()))
    lightness = torch.rand(1, 1, 32, 40) * 100
    with torch.no_grad():
        answer = network(lightness)
        torch.testing.assert_close(answer, published(lightness))
        assert (answer - network(lightness - 50)).abs().max() > 0.01  # what comes in counts


def test_files_without_counters_are_as_good(published):
    state = {k: v for k, v in published.state_dict().items() if not k.endswith("num_batches_tracked")}
    ZhangNet().load_state_dict(from_published(state))


def test_what_is_not_the_published_network_is_named(published):
    state = published.state_dict()
    with pytest.raises(ValueError, match=r"2 tensors that are missing here: model3.2.weight"):
        from_published({k: v for k, v in state.items() if not k.startswith("model3.2.")})
    with pytest.raises(ValueError, match="no layer model9"):
        from_published(state | {"model9.0.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"model1.0.weight has shape \(64, 1, 3, 3\), got \(64, 4, 3, 3\)"):
        from_published(state | {"model1.0.weight": torch.zeros(64, 4, 3, 3)})


def test_other_bins_are_said(published):
    state = published.state_dict()
    with pytest.warns(UserWarning, match="model_out differs by up to [0-9]+ ab units"):
        from_published(state | {"model_out.weight": state["model_out.weight"].flip(1)})


# Cost


@pytest.mark.parametrize("size", [(64, 64), (176, 176), (40, 72)])
def test_the_cost_is_the_sum_over_the_table(size):
    height, width = size
    inputs, expected = 1, 0
    for row in layer_table():
        kernel = 9 if row.layer.stride >= 1 else 4  # a transposed one adds up 2 x 2 elements for each answer
        places = (height // row.spacing) * (width // row.spacing)
        expected += kernel * inputs * row.layer.channels * places
        inputs = row.layer.channels
    expected += 313 * inputs * (height // 4) * (width // 4)
    network = ZhangNet()
    assert multiply_adds(network, height, width) == expected
    assert network.training  # left as it was
