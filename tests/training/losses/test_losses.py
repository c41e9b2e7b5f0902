"""Losses against independent references in float64, and invariants that every registered loss keeps."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, multilabel_soft_margin_loss

from affekt.errors import SettingError
from affekt.training.losses.label_counts import LabelCounts
from affekt.training.losses.losses import LOSSES, Loss, make_loss

TEXTS, LABELS = 9, 6
torch.set_num_threads(1)


def counts() -> LabelCounts:
    rng = np.random.default_rng(5)
    return LabelCounts.of((rng.random((200, LABELS)) < 0.3).astype(np.float64))


VARIANTS: dict[str, Callable[[], Loss]] = {
    "bce": lambda: make_loss("bce"),
    "bce sum": lambda: make_loss("bce", reduction="sum"),
    "bce weighted": lambda: make_loss("bce", pos_weight_cap=5.0, counts=counts()),
    "bce smoothed": lambda: make_loss("bce", smoothing=0.1),
    "bce counted as zero": lambda: make_loss("bce", rescale=False),
    "focal": lambda: make_loss("focal"),
    "focal constant": lambda: make_loss("focal", alpha_form="constant"),
    "focal gamma 0.5": lambda: make_loss("focal", gamma=0.5, alpha=None),
    "asymmetric": lambda: make_loss("asymmetric"),
    "asymmetric gamma 0.5": lambda: make_loss("asymmetric", gamma_neg=0.5, gamma_pos=0.5),
    "asymmetric unclipped": lambda: make_loss("asymmetric", clip=0.0, gamma_pos=1.0),
    "zlpr": lambda: make_loss("zlpr"),
    "local": lambda: make_loss("bce", local_correlation=0.2),
    "global": lambda: make_loss("bce", global_correlation=0.5, counts=counts()),
    "both": lambda: make_loss("asymmetric", local_correlation=0.2, global_correlation=0.5, counts=counts()),
}
LABEL_SPECIFIC = {"bce weighted", "global", "both"}


def case(seed: int = 0, scale: float = 3.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(TEXTS, LABELS, generator=generator, dtype=torch.float64)
    targets = (torch.rand(TEXTS, LABELS, generator=generator) < 0.4).double()
    targets[0], targets[1] = 0.0, 1.0
    return logits, targets


def soft(targets: Tensor, seed: int = 1) -> Tensor:
    return torch.rand(targets.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def loss(variant: str) -> Loss:
    return VARIANTS[variant]()


# --- references ---------------------------------------------------------------------------------------------------


def test_bce_equals_torch() -> None:
    logits, targets = case()
    assert make_loss("bce")(logits, targets).mean().item() == pytest.approx(
        multilabel_soft_margin_loss(logits, targets).item(), rel=1e-14
    )
    weight = torch.linspace(1, 4, LABELS, dtype=torch.float64)
    torch.testing.assert_close(
        make_loss("bce", pos_weight=weight.tolist())(logits, targets).mean(),
        binary_cross_entropy_with_logits(logits, targets, pos_weight=weight.float().double()),
    )


def focal_by_hand(x: float, y: int, alpha: float, gamma: float) -> float:
    p = 1 / (1 + math.exp(-x))
    p_t, alpha_t = (p, alpha) if y else (1 - p, 1 - alpha)
    return -alpha_t * (1 - p_t) ** gamma * math.log(p_t)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_equals_the_papers_formula(gamma: float) -> None:
    logits, targets = case()
    expected = [
        np.mean([focal_by_hand(x, int(y), 0.25, gamma) for x, y in zip(row, truth, strict=True)])
        for row, truth in zip(logits.tolist(), targets.tolist(), strict=True)
    ]
    np.testing.assert_allclose(make_loss("focal", gamma=gamma)(logits, targets), expected, rtol=1e-12)


def test_constant_focal_equals_the_widespread_shortcut() -> None:
    logits, targets = case()
    bce = binary_cross_entropy_with_logits(logits, targets, reduction="none")
    expected = (0.25 * (1 - torch.exp(-bce)) ** 2.0 * bce).mean(-1)
    torch.testing.assert_close(make_loss("focal", alpha_form="constant")(logits, targets), expected)


def test_focal_puts_a_score_of_one_half_where_the_truth_is_three_quarters() -> None:
    logit = torch.zeros(1, 1, dtype=torch.float64, requires_grad=True)
    make_loss("focal")(logit, torch.full((1, 1), 0.75)).sum().backward()
    assert logit.grad is not None
    assert logit.grad.item() == pytest.approx(0.0, abs=1e-15)


def asymmetric_of_the_paper(x: Tensor, y: Tensor, gamma_neg: float, gamma_pos: float, clip: float) -> Tensor:
    """The published code of Ridnik et al., with per-text sums in place of the batch's."""
    positive = torch.sigmoid(x)
    negative = (1 - positive + clip).clamp(max=1) if clip > 0 else 1 - positive
    loss = y * torch.log(positive.clamp(min=1e-8)) + (1 - y) * torch.log(negative.clamp(min=1e-8))
    chosen = positive * y + negative * (1 - y)
    return -(loss * torch.pow(1 - chosen, gamma_pos * y + gamma_neg * (1 - y))).sum(-1)


@pytest.mark.parametrize(("gamma_neg", "gamma_pos", "clip"), [(4, 0, 0.05), (4, 1, 0.05), (2, 2, 0.0), (0, 0, 0.2)])
def test_asymmetric_equals_the_papers_code(gamma_neg: float, gamma_pos: float, clip: float) -> None:
    logits, targets = case()
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    value = make_loss("asymmetric", gamma_neg=gamma_neg, gamma_pos=gamma_pos, clip=clip)(ours, targets)
    expected = asymmetric_of_the_paper(theirs, targets, gamma_neg, gamma_pos, clip)
    torch.testing.assert_close(value, expected, rtol=1e-11, atol=1e-14)
    value.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-9, atol=1e-13)


def test_zlpr_equals_its_formula() -> None:
    logits, targets = case()
    expected = [
        math.log1p(sum(math.exp(x) for x, y in zip(row, truth, strict=True) if not y))
        + math.log1p(sum(math.exp(-x) for x, y in zip(row, truth, strict=True) if y))
        for row, truth in zip(logits.tolist(), targets.tolist(), strict=True)
    ]
    np.testing.assert_allclose(make_loss("zlpr")(logits, targets), expected, rtol=1e-12)


def test_smoothing_is_bce_of_smoothed_targets() -> None:
    logits, targets = case()
    torch.testing.assert_close(
        make_loss("bce", smoothing=0.2)(logits, targets), make_loss("bce")(logits, targets * 0.8 + 0.1)
    )


@pytest.mark.parametrize("name", list(LOSSES))
def test_gradients_are_those_of_the_values(name: str) -> None:
    logits, targets = case()
    loss = make_loss(name)
    assert torch.autograd.gradcheck(lambda x: loss(x, soft(targets)), logits.clone().requires_grad_())


# --- the battery ----------------------------------------------------------------------------------------------------


def test_one_finite_float_per_text(loss: Loss) -> None:
    logits, targets = case()
    value = loss(logits, targets)
    assert value.shape == (TEXTS,)
    assert torch.isfinite(value).all()
    assert (value >= -1e-12).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_narrow_logits_are_computed_in_float32(loss: Loss, dtype: torch.dtype) -> None:
    logits, targets = case()
    narrow = logits.to(dtype)
    value = loss(narrow, targets.to(torch.float32))
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(narrow.double(), targets).float(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("magnitude", [1e2, 1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_logits_stay_finite(loss: Loss, magnitude: float, dtype: torch.dtype) -> None:
    _, targets = case()
    for sign in (-1.0, 1.0):
        logits = (sign * magnitude * (2 * targets - 1)).to(dtype).requires_grad_()
        value = loss(logits, targets.to(dtype))
        value.sum().backward()
        assert logits.grad is not None
        assert torch.isfinite(value).all()
        assert torch.isfinite(logits.grad).all()


def test_texts_do_not_mix(loss: Loss) -> None:
    logits, targets = case()
    whole = loss(logits, targets)
    torch.testing.assert_close(torch.cat([loss(logits[:4], targets[:4]), loss(logits[4:], targets[4:])]), whole)
    order = torch.randperm(TEXTS, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(loss(logits[order], targets[order]), whole[order])


def test_labels_may_be_reordered(loss: Loss, variant: str) -> None:
    if variant in LABEL_SPECIFIC:
        pytest.skip("the loss knows its labels by position")
    logits, targets = case()
    order = torch.randperm(LABELS, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(loss(logits[:, order], targets[:, order]), loss(logits, targets))


def test_weights_scale_the_texts(loss: Loss) -> None:
    logits, targets = case()
    weights = torch.linspace(0, 2, TEXTS)
    torch.testing.assert_close(loss(logits, targets, weights), loss(logits, targets) * weights.double())


def test_better_logits_cost_less(loss: Loss, variant: str) -> None:
    if "smoothed" in variant or variant in ("global", "both"):
        pytest.skip("its optimum is not at the hard targets")
    _, targets = case()
    direction = 2 * targets - 1
    assert (loss(3 * direction, targets) < loss(-3 * direction, targets)).all()
    assert (loss(3 * direction, targets) <= loss(0 * direction, targets) + 1e-12).all()


def test_soft_targets_cost_the_expectation_where_that_is_promised(loss: Loss, variant: str) -> None:
    if not loss.linear_in_targets:
        pytest.skip("documented as not linear")
    logits, targets = case()
    if variant in ("local", "both"):
        pytest.skip("the local term's means are not linear")
    share = soft(targets)[:, :1]
    mixed = loss(logits, share * targets + (1 - share) * (1 - targets))
    expected = share[:, 0] * loss(logits, targets) + (1 - share[:, 0]) * loss(logits, 1 - targets)
    torch.testing.assert_close(mixed, expected)


def test_unknown_labels_have_no_say(loss: Loss) -> None:
    logits, targets = case()
    targets[:, 2] = torch.nan
    targets[3] = torch.nan
    first = logits.clone().requires_grad_()
    value = loss(first, targets)
    value.sum().backward()
    assert first.grad is not None
    assert torch.isfinite(value).all()
    assert (first.grad[:, 2] == 0).all()
    assert (first.grad[3] == 0).all()
    changed = logits.clone()
    changed[:, 2] = 50.0
    torch.testing.assert_close(loss(changed, targets), value.detach())


def test_unknown_labels_are_rescaled_or_not() -> None:
    logits, targets = case()
    targets[:, 4:] = torch.nan
    rest = logits[:, :4], targets[:, :4]
    torch.testing.assert_close(make_loss("bce")(logits, targets), make_loss("bce")(*rest))
    torch.testing.assert_close(
        make_loss("bce", rescale=False, reduction="sum")(logits, targets), make_loss("bce", reduction="sum")(*rest)
    )
    torch.testing.assert_close(
        make_loss("bce", reduction="sum")(logits, targets), make_loss("bce", reduction="sum")(*rest) * LABELS / 4
    )


def test_the_loss_has_no_graph_breaks(loss: Loss) -> None:
    """A graph break is a Python decision on a tensor's values, which a CUDA graph could not capture."""
    logits, targets = case()
    traced = torch.fx.experimental.proxy_tensor.make_fx(loss, tracing_mode="fake", _allow_non_fake_inputs=True)(
        logits, targets
    )
    torch.testing.assert_close(traced(logits, targets), loss(logits, targets))
    names = {str(node.target) for node in traced.graph.nodes}
    assert not {name for name in names if "_local_scalar_dense" in name or "nonzero" in name or "masked_select" in name}


def test_losses_move_with_their_buffers() -> None:
    loss = make_loss("bce", pos_weight_cap=3.0, global_correlation=0.1, counts=counts())
    assert {name.split(".")[-1] for name, _ in loss.named_buffers()} == {"pos_weight", "attract", "repel"}


# --- bad settings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("huber", {}, "no loss 'huber'"),
        ("focal", {"alpha": 2.0}, "alpha"),
        ("focal", {"gamma": -1.0}, "gamma"),
        ("focal", {"alpha_form": "both"}, "alpha_form"),
        ("focal", {"beta": 1.0}, "no option 'beta'"),
        ("asymmetric", {"clip": 1.0}, "clip"),
        ("asymmetric", {"gamma_neg": float("nan")}, "gamma_neg"),
        ("asymmetric", {"gamma_pos": -0.1}, "gamma_pos"),
        ("focal", {"alpha": -0.1}, "alpha"),
        ("asymmetric", {"clip": 1.5}, "clip"),
        ("asymmetric", {"clip": -0.1}, "clip"),
        ("asymmetric", {"gamma_neg": -0.1}, "gamma_neg"),
        ("bce", {"smoothing": 1.0}, "smoothing"),
        ("bce", {"smoothing": 1.5}, "smoothing"),
        ("bce", {"smoothing": -0.1}, "smoothing"),
        ("bce", {"reduction": "max"}, "reduction"),
        ("bce", {"pos_weight_cap": 3.0}, "counts"),
        ("bce", {"global_correlation": 0.1}, "counts"),
        ("bce", {"local_correlation": -0.1}, "local"),
        ("zlpr", {"reduction": "sum"}, "no option 'reduction'"),
    ],
)
def test_bad_settings_are_named(name: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        make_loss(name, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("focal", {"alpha": 0.0}),
        ("focal", {"alpha": 1.0}),
        ("focal", {"gamma": 0.0}),
        ("asymmetric", {"gamma_neg": 0.0, "gamma_pos": 0.0, "clip": 0.0}),
        ("bce", {"smoothing": 0.0}),
    ],
)
def test_the_ends_of_a_range_belong_to_it(name: str, options: dict[str, float]) -> None:
    logits, targets = case()
    assert torch.isfinite(make_loss(name, **options)(logits, targets)).all()  # type: ignore[arg-type]


# --- label counts -------------------------------------------------------------------------------------------------


def random_targets(*, unknown: float = 0.0) -> NDArray[np.float64]:
    rng = np.random.default_rng(2)
    targets = (rng.random((300, 5)) < [0.5, 0.2, 0.02, 0.9, 0.0]).astype(np.float64)
    targets[:, 1] = np.maximum(targets[:, 1], targets[:, 0] * (rng.random(300) < 0.5))
    targets[rng.random(targets.shape) < unknown] = np.nan
    return targets


def test_positive_weights_are_capped() -> None:
    targets = random_targets()
    ratio = (1 - targets[:, :4]).sum(0) / targets[:, :4].sum(0)
    weights = LabelCounts.of(targets).positive_weights(10.0)
    np.testing.assert_allclose(weights[:4], np.clip(ratio, 1, 10), rtol=1e-6)
    assert weights[2] == 10.0
    assert weights[4] == 1.0
    with pytest.raises(SettingError, match="pos_weight_cap"):
        LabelCounts.of(targets).positive_weights(0.5)


@pytest.mark.parametrize("unknown", [0.0, 0.3])
def test_correlation_equals_numpys(unknown: float) -> None:
    targets = random_targets(unknown=unknown)
    ours = LabelCounts.of(targets).correlation()
    for i in range(4):
        for j in range(4):
            both = ~np.isnan(targets[:, i]) & ~np.isnan(targets[:, j])
            expected = 0.0 if i == j else np.corrcoef(targets[both][:, i], targets[both][:, j])[0, 1]
            assert ours[i, j] == pytest.approx(expected, abs=1e-6)
    assert (ours[4] == 0).all()
