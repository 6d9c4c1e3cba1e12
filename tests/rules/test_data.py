"""The data rules: ranges, channels and labels that do not fit, and facts about known sets."""

import pytest

from caedsl.diagnostics import Applicability, Severity
from tests.rules.fragments import checked, fixed, found, place, the

BCE = "train { loss bce }\ndata mnist\n"
DECODER = "decoder { upsample 2; conv 8 relu; conv 1 %s }"


class TestBceRange:
    @pytest.mark.parametrize("limits", ["in -1..1", "in 0..255", "in real", "in 0..2"])
    def test_pixels_beyond_one(self, limits: str) -> None:
        finding = the(f"input 1x28x28 {limits}\n{BCE}", "bce-range")
        assert finding.severity is Severity.ERROR
        assert "binary cross-entropy needs pixels in 0..1" in finding.message

    @pytest.mark.parametrize("activation", ["", "tanh", "relu", "softplus"])
    def test_outputs_beyond_one(self, activation: str) -> None:
        assert "sigmoid" in fixed(BCE + DECODER % activation, "bce-range", Applicability.SAFE)

    def test_a_mirror_gets_its_sigmoid_back(self) -> None:
        text = fixed(BCE + "decoder mirror output=linear", "bce-range", Applicability.SAFE)
        assert "decoder mirror output=sigmoid" in text

    def test_the_declared_range_stays(self) -> None:
        text = fixed(f"input 1x28x28 in -1..1\n{BCE}{DECODER % 'sigmoid'}", "bce-range")
        assert "in -1..1" in text
        assert "loss mse" in text
        assert "tanh" in text

    def test_the_loss_is_changed_where_the_output_is_not(self) -> None:
        fragment = f"input 1x28x28 in -1..1\n{BCE}{DECODER % 'tanh'}"
        assert "loss mse" in fixed(fragment, "bce-range")

    def test_the_loss_that_is_put_in_its_place_has_a_rate_that_suits(self) -> None:
        train = "data mnist\ntrain { loss bce; optimizer sgd lr=1 momentum=0.9; epochs 10; batch 64 }\n"
        text = fixed(f"input 1x28x28 in -1..1\n{train}{DECODER % 'tanh'}", "bce-range")
        assert "loss mse; optimizer adam lr=1e-3" in text

    def test_it_is_found_in_a_sum(self) -> None:
        assert found(BCE.replace("bce", "mse + 0.1 bce") + DECODER % "tanh", "bce-range")

    @pytest.mark.parametrize(
        "fragment", [BCE, BCE + DECODER % "sigmoid", "input 1x28x28 in 0..0.5\n" + BCE + DECODER % "sigmoid"]
    )
    def test_probabilities_are_silent(self, fragment: str) -> None:
        assert not found(fragment, "bce-range")

    def test_other_losses_are_silent(self) -> None:
        assert not found("data mnist\ntrain { loss mse }\n" + DECODER % "tanh", "bce-range")


class TestUnscaledData:
    RAW = "input 1x28x28 in 0..255\ndata mnist\ndecoder mirror output=linear\ntrain { optimizer %s }"

    def test_sgd_is_warned_of(self) -> None:
        finding = the(self.RAW % "sgd lr=1e-2", "unscaled-data")
        assert finding.severity is Severity.WARNING
        assert "65,025 times" in finding.message

    def test_adam_is_only_informed(self) -> None:
        assert the(self.RAW % "adam lr=1e-3", "unscaled-data").severity is Severity.INFO

    def test_the_optimizer_is_changed_and_the_range_stays(self) -> None:
        fix = the(self.RAW % "sgd lr=1e-2", "unscaled-data").fix
        assert fix is not None
        assert [edit.text for edit in fix.edits] == ["optimizer adam lr=1e-3"]

    @pytest.mark.parametrize(
        ("old", "new"), [("}", "; loss mse reduction=sum }"), ("output=linear", "output=relu")], ids=["sum", "bounded"]
    )
    def test_a_summed_loss_and_a_bounded_output_are_warned_of(self, old: str, new: str) -> None:
        assert the((self.RAW % "adam").replace(old, new), "unscaled-data").severity is Severity.WARNING

    @pytest.mark.parametrize("limits", ["0..1", "-1..1", "-3..3", "real"])
    def test_scaled_ranges_are_silent(self, limits: str) -> None:
        assert not found(f"input 1x28x28 in {limits}", "unscaled-data")

    def test_one_cause_has_one_finding(self) -> None:
        names = {f.name for f in checked(f"input 1x28x28 in 0..255\n{BCE}").findings}
        assert names & {"bce-range", "unscaled-data"} == {"bce-range"}
        bounded = "input 1x28x28 in 0..255\ndata mnist\ndecoder mirror output=sigmoid"
        assert not found(bounded, "unscaled-data")


class TestDataChannels:
    @pytest.mark.parametrize(
        "fragment",
        [
            "input 3x28x28\ndata mnist",
            "input 1x32x32\ndata cifar10",
            "input 3x32x32\ndata cifar10 gray",
            "input 3x8x8\ndata digits",
        ],
    )
    def test_channels_that_are_not_there(self, fragment: str) -> None:
        assert the(fragment, "data-channels").severity is Severity.ERROR

    def test_the_source_that_does_not_fit_is_pointed_at(self) -> None:
        fragment = "input 3x32x32\ndata cifar10 else digits"
        assert place(fragment, the(fragment, "data-channels")) == "digits"

    def test_one_cause_has_one_finding(self) -> None:
        assert len(found("input 3x28x28\ndata mnist else fashion_mnist else digits", "data-channels")) == 1

    def test_grey_images_are_suggested_but_the_data_line_stays(self) -> None:
        fix = the("input 1x32x32\ndata cifar10", "data-channels").fix
        assert fix is not None
        assert fix.applicability is Applicability.DISPLAY
        assert fix.edits[0].text == " gray"

    def test_the_input_takes_the_channels_of_the_data(self) -> None:
        assert "input 1x28x28" in fixed("input 3x28x28\ndata mnist", "data-channels")

    def test_an_explicit_decoder_has_to_be_changed_too(self) -> None:
        text = fixed("input 3x28x28\ndata mnist\ndecoder { upsample 2; conv 3 sigmoid }", "data-channels")
        assert "input 1x28x28" in text
        assert "conv 1 sigmoid" in text

    @pytest.mark.parametrize(
        "fragment",
        [
            "data mnist else digits",
            "input 3x32x32\ndata cifar10",
            "input 1x32x32\ndata cifar10 gray",
            'input 3x9x9\ndata folder "x/"',
        ],
    )
    def test_fitting_channels_are_silent(self, fragment: str) -> None:
        assert not found(fragment, "data-channels")


class TestNoData:
    def test_settings_without_images(self) -> None:
        assert the("train { epochs 3 }", "no-data").severity is Severity.WARNING

    @pytest.mark.parametrize("fragment", ["", "train { epochs 3 }\ndata digits", "data digits"])
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "no-data")

    def test_a_source_that_cannot_be_read_is_enough(self) -> None:
        assert not found("train { epochs 3 }\ndata mnits", "no-data")


class TestOnlyWithoutLabels:
    @pytest.mark.parametrize("source", ['npy "x.npy"', 'npz "x.npz" key=x', 'idx "x-idx3-ubyte"'])
    def test_arrays_need_labels(self, source: str) -> None:
        finding = the(f"data {source} only=3", "only-without-labels")
        assert finding.severity is Severity.ERROR
        assert "labels=" in finding.help

    @pytest.mark.parametrize(
        "source",
        [
            'npy "x.npy" only=3 labels="y.npy"',
            'npz "x.npz" only=3 labels=y',
            "mnist only=3",
            'folder "x/" only="cats"',
            'npy "x.npy"',
        ],
    )
    def test_silent(self, source: str) -> None:
        assert not found(f"data {source}", "only-without-labels")


class TestTinyDataset:
    def test_few_images_for_many_weights(self) -> None:
        finding = the("data mnist limit=100\ntrain { epochs 3 }", "tiny-dataset")
        assert finding.severity is Severity.INFO
        assert finding.message.startswith("90 images for")

    @pytest.mark.parametrize("source", ["mnist", "mnist limit=5000", 'folder "x/"', "digits"])
    def test_silent(self, source: str) -> None:
        assert not found(f"data {source}\ntrain {{ epochs 3 }}", "tiny-dataset")

    def test_few_weights_are_no_matter(self) -> None:
        small = "encoder { conv 4 s4 relu k4 }\nbottleneck conv 1"
        assert not found(f"data mnist limit=900\ntrain {{ epochs 3 }}\n{small}", "tiny-dataset")


class TestBceFloor:
    @pytest.mark.parametrize(
        ("data", "loss", "floor"),
        [
            ("mnist", "bce", "0.0584 on the training images of mnist (on its test images 0.0581)"),
            ("fashion_mnist", "bce", "0.24 on the training images of fashion_mnist (on its test images 0.242)"),
            ("mnist", "bce reduction=sum", "45.8 on the training images"),
        ],
    )
    def test_the_floor_of_known_sets(self, data: str, loss: str, floor: str) -> None:
        finding = the(f"data {data}\ntrain {{ loss {loss} }}", "bce-floor")
        assert finding.severity is Severity.INFO
        assert floor in finding.message

    @pytest.mark.parametrize(
        ("data", "loss"), [("mnist", "mse"), ("mnist", "bce + 0.1 ssim"), ("kmnist", "bce"), ("mnist only=1", "bce")]
    )
    def test_silent(self, data: str, loss: str) -> None:
        assert not found(f"data {data}\ntrain {{ loss {loss} }}", "bce-floor")


class TestResizedData:
    def test_enlarged_images(self) -> None:
        assert the("data digits", "resized-data").severity is Severity.INFO

    @pytest.mark.parametrize(
        "fragment", ["data mnist else digits", "input 1x8x8\ndata digits", "input 1x32x32\ndata mnist"]
    )
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "resized-data")


class TestAugmentationRank:
    @pytest.mark.parametrize(
        ("shape", "name", "fits"),
        [
            ("1x64", "rotate=10", False),
            ("1x64", "flip", True),
            ("1x64", "vflip", False),
            ("1x16x16x16", "rot90", False),
            ("1x16x16x16", "vflip", True),
            ("1x28x28", "rot90", True),
        ],
    )
    def test_axes_that_are_not_there(self, shape: str, name: str, fits: bool) -> None:
        spec = f"input {shape}\ntrain {{ augment {name} }}\nencoder {{ conv 8 relu; maxpool 2 }}"
        assert ("augmentation-rank" in {finding.name for finding in checked(spec).findings}) != fits
