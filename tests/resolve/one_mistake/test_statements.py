"""A wrong `input`, `data`, `bottleneck`, `decoder` or first line is one finding."""

import pytest

from tests.resolve.one_mistake.cases import as_statement, errors, hold_one_finding, whole

LINES = [
    ("input\n 1x16x16", "`input 1x16x16`"),
    ("decoder\n mirror", "`decoder mirror`"),
    ("input 1*16*16", "`1x16x16`"),
    ("input 1x16^2", "`input 1x16x16`"),
    ("input 16**2", "`input 1x16x16`"),
    ("decoder mirror skips=add,concat", "`skips=add` or `skips=concat`"),
    ("decoder mirror skips=[add, concat]", "`skips=add` or `skips=concat`"),
    ("bottleneck variational 8 warmup=5", "a share of all steps"),
    ("input 16*16*1", "`1x16x16`"),
    ("input 16, 16", "`1x16x16`"),
    ("input 16 x 16", "`1x16x16`"),
    ("input 16 16 1", "`1x16x16`"),
    ("input [16, 16]", "`input 1x16x16`"),
    ("data mnistelse digits", "`data mnist else digits`"),
    ("data mnist elsedigits", "`data mnist else digits`"),
    ("data mnistelsedigits", "`data mnist else digits`"),
    ('data folder "images/*.png"', '`"images/"`'),
    ('data folder "images/" target="clean/**/*.png"', '`"clean/"`'),
    ('data npy "*.npy"', 'file: `"images.npy"`'),
    ("input 1x16x16 in 0-1", "`0..1`"),
    ("input 1x16x16 in 0 to 1", "`0..1`"),
    ("input 1x16x16 in -1 to 1", "`-1..1`"),
    ("input 1x16x16 from 0 to 1", "`in 0..1`"),
    ("input 1x16x16 in 0...1", "`0..1`, or `0..0.1`"),
    ("data mnist | digits", "`data mnist else digits`"),
    ('data "mnist"', "`mnist`"),
    ("data torchvision.datasets.MNIST", "`data mnist`"),
    ("data keras.datasets.mnist.load_data()", "`data mnist`"),
    ("bottleneck variational latent=8", "`bottleneck variational 8`"),
    ("bottleneck quantized codes=128 dim=16", "`bottleneck quantized 512x64`"),
    ("decoder mirror { output=sigmoid }", "`decoder mirror output=sigmoid`"),
    ("decoder mirror(output=sigmoid)", "`decoder mirror output=sigmoid`"),
    ("decoder mirror encoder", "delete `encoder`"),
    ('data npz "arrays/a*.npz" key=x', 'file: `"arrays/images.npz"`'),
    ('data manifest "*.csv"', 'file: `"images.csv"`'),
    ('data folder "a*b/"', "rename a file whose own name has a `*`"),
    ("data npy arrays/*.npy", '`data npy "arrays/images.npy"`'),
    ("bottleneck dense 8 sparse=topk:3", "`bottleneck dense 8 topk=3`"),
    ("bottleneck dense 8 sparse=kl:0.05", "`bottleneck dense 8 sigmoid sparsity=0.05`"),
    ("input 1 28 28", "1x28x28"),
    ("input 1x16x16 in", "in 0..1"),
    ("input 1x16x16 in [0,1]", "0..1"),
    ("input 1x16x16 in (-1, 1)", "-1..1"),
    ("input 1 16 16 in [0,1]", "`input 1x16x16 in 0..1`"),
    ("input (1, 16, 16) in [0, 1]", "`input 1x16x16 in 0..1`"),
    ("data './photos'", '`data folder "./photos"`'),
    ("data folder 'photos/'", '`data folder "photos/"`'),
    ("data folder noisy/ target=clean/", '`data folder "noisy/" target="clean/"`'),
    ("data scans/a.nii.gz", '`data nifti "scans/a.nii.gz"`'),
    ("data parquet parts/*.parquet", '`data parquet "parts/"`'),
    ("input", "input 1x28x28"),
    ("encoder { }", "encoder { conv 16 relu; maxpool 2 }"),
    ("decoder { }", "decoder { upsample 2; conv 1 sigmoid }"),
    ("decoder mirror outptu=tanh", "output=tanh"),
    ("data folder", 'data folder "photos/"'),
    ("data npz key=x", 'data npz "images.npz" key=x'),
    ("bottleneck vae 8", "variational"),
    ("bottleneck 32 7 7", "32x7x7"),
    ("input 1x16x16 in 0,1", "0..1"),
    ("input 1x16x16 in 0,0..1,0", "0.0..1.0"),
    ("bottleneck Dense 8", "dense"),
    ("data mnist only=0,1", "only=0"),
    ("data mnist, limit=10", "`data mnist limit=10`"),
    ("input 1x16x16 0..1", "in 0..1"),
    ("data folder photos", '"photos"'),
    ("encoder conv 8", "encoder {"),
    ("decoder miror", "mirror"),
    ("bottleneck dense relu", "bottleneck dense 32 relu"),
    ("autoencoder", "autoencoder NAME"),
    ("autoencoder my-net", "my_net"),
    ('autoencoder "a"', "`a`"),
    ("input 1x16x16 range 0..1", "in 0..1"),
    ("bottleneck latent=8", "`bottleneck dense 8`"),
    ("bottleneck dense=8", "`bottleneck dense 8`"),
    ("bottleneck dense dense 8", "delete one"),
    ("bottleneck dense16", "`dense`"),
    ("input input 1x16x16", "delete one"),
    ("bottleneck 8 units", "`bottleneck dense 8`"),
    ("input 1 x 16 x 16", "1x16x16"),
    ("input (16, 16, 1)", "`input 1x16x16`"),
    ("data images/*.png", '`data folder "images/"`'),
    ("data folder images/**/*.png", '`data folder "images/"`'),
    ("data *.png", '`data folder "."`'),
    ("data folder /data//images", '`data folder "/data//images"`'),
    ("data images/", '`data folder "images/"`'),
    ("data C:/images", '`data folder "C:/images"`'),
    ("data https://example.org/a.npz", '`data npz "a.npz"`'),
    ("data digits // handwritten", "`data digits # handwritten`"),
    ("bottleneck 8 dims l1=1e-4", "`bottleneck dense 8 l1=1e-4`"),
    ("bottleneck 8 dense", "`bottleneck dense 8`"),
    ("bottleneck 8 beta=2 vae", "`bottleneck variational 8 beta=2`"),
    ("bottleneck 2 channels", "`bottleneck conv 2`"),
    ("bottleneck filters=2", "`bottleneck conv 2`"),
    ("bottleneck dense 8 units", "delete `units`"),
    ("bottleneck vae conv 8", "variational"),
    ("bottleneck variational dense 8", "without `dense`"),
    ("bottleneck vq-vae 64x8", "quantized"),
    ("bottleneck ae 8", "dense 64"),
    ("bottleneck none", "`bottleneck` alone"),
    ("bottleneck nn.Linear(64, 8)", "`bottleneck dense 8`"),
    ("decoder mirror { }", "decoder mirror"),
    ("decoder mirror relu", "output=relu"),
    ("decoder mirror activation=tanh", "output=tanh"),
    ("decoder mirror channels=2", "channels=/2"),
    ("decoder mirror channels=1/2", "channels=/2"),
    ("decoder mirror skips", "skips=concat"),
    ("encoder { conv 8 s2 pad=same_lower }", "`pad=1..0`"),
    ("data ./photos", '`data folder "./photos"`'),
    ("data npy images.npy", '`data npy "images.npy"`'),
    ('data folder = "p/"', '`data folder "p/"`'),
    ("data mnist digits", "`data mnist else digits`"),
    ("data mnist or digits", "else"),
    ("data mnist, digits", "`data mnist else digits`"),
    ("data emnist", "folder"),
    ("data mnist only=three", 'only="three"'),
    ("data mnist only=3,4", "only=3"),
    ("data mnist class=3", "only=3"),
    ("data mnist normalize=zscore", "standard"),
    ('data npz "images.npz" key=x-1', '`"x-1"`'),
    ('data npy "images.npy" layout=NHWC', "last"),
]
IN_PLACE = [
    ("data", "data mnist else = digits", "`else digits`"),
    ("data", 'data mnist "else" digits', "`else`"),
    ("decoder", "ecoder mirror", "`decoder`"),
    ("data", "data data mnist", "delete one"),
    ("decoder", "decoder decoder mirror", "delete one"),
    ("bottleneck", "quantized 64x8", "`bottleneck quantized 64x8`"),
    ("bottleneck", "dense 8", "`bottleneck dense 8`"),
    ("autoencoder", "digits", "`autoencoder digits`"),
    ("autoencoder", "autoencodera", "`autoencoder`"),
    ("input", "input1x16x16", "`input 1x16x16`"),
    ("data", "data mnist = else digits", "`mnist else`"),
    ("data", "data mnist: else digits", "`mnist else`"),
    ("input", "input: 16, 16, 1", "`input 1x16x16`"),
    ("input", "input: 1 x 16 x 16", "`input 1x16x16`"),
    ("input", "input = (1, 16, 16)", "`input 1x16x16`"),
    ("input", "input_shape = [1, 16, 16]", "`input 1x16x16`"),
    ("bottleneck", "bottleneck = dense 8", "`bottleneck dense 8`"),
    ("bottleneck", "bottleneck = 8", "`bottleneck dense 8`"),
    ("bottleneck", "bottleneck: 8", "`bottleneck dense 8`"),
    ("bottleneck", "bottleneck 8", "`bottleneck dense 8`"),
    ("bottleneck", "latent_dim = 8", "`bottleneck dense 8`"),
    ("bottleneck", "latent_dim: 8", "`bottleneck dense 8`"),
    ("autoencoder", "name = a", "`autoencoder a`"),
    ("encoder", "encoder: [conv 8 s2, relu]", "`encoder {`"),
    ("train", "train: true", "`train { epochs 20 }`"),
    ("decoder", "mirror decoder", "`decoder mirror`"),
    ("autoencoder", 'extends "base.cae"', '`autoencoder NAME extends "base.cae"`'),
    ("bottleneck", "bottleneck beta=4 variational 8", "`bottleneck variational 8 beta=4`"),
    ("bottleneck", "bottleneck conv 8x7x7", "`bottleneck conv 8`"),
    ("data", "data = mnist", "`data mnist`"),
    ("train", "train: batch 8", "`train { batch 8 }`"),
    ("bottleneck", "latent 8", "`bottleneck dense 8`"),
    ("bottleneck", "latent dense 8", "`bottleneck dense 8`"),
    ("bottleneck", "code_size 8", "`bottleneck dense 8`"),
    ("input", "shape 1x16x16", "`input 1x16x16`"),
    ("encoder", "encoder [ conv 8 k4 s2 relu ]", "`{` and `}`"),
    ("autoencoder", "autoencoder my net", "`autoencoder my_net`"),
    ("decoder", "decoder mirror with skips", "`decoder mirror skips=concat`"),
    ("decoder", "decoder = mirror(encoder)", "`decoder mirror`"),
]
"""Lines in the place of a statement whose word they do not begin with."""
OTHERS = ["data emnist", "bottleneck ae 8"]
"""Words that lie near a word of the language, but mean something else."""


@pytest.mark.parametrize(("line", "shown"), LINES)
def test_a_statement_is_one_finding(line: str, shown: str) -> None:
    hold_one_finding(as_statement(line), shown)


@pytest.mark.parametrize(("statement", "line", "shown"), IN_PLACE)
def test_a_statement_in_other_words_is_one_finding(statement: str, line: str, shown: str) -> None:
    (finding,) = errors(whole(**{statement: line}))
    assert shown in finding.help


@pytest.mark.parametrize("line", OTHERS)
def test_no_fix_writes_a_word_that_only_looks_alike(line: str) -> None:
    (finding,) = errors(whole(**{line.split()[0]: line}))
    assert finding.fix is None


def test_a_second_model_in_a_file_is_one_finding() -> None:
    (finding,) = errors(whole() + whole(autoencoder="autoencoder b"))
    assert finding.help == "move it to a file of its own"


def test_a_second_first_line_is_one_finding_and_the_rest_is_read() -> None:
    (finding,) = errors(whole(input="autoencoder b\ninput 1x16x16"))
    assert finding.name == "duplicate-statement"
