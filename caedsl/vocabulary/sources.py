"""Data sources, with one declaration each."""

from caedsl.vocabulary import presets
from caedsl.vocabulary.option import FROM_ONE, REQUIRED, Domain, Option, Type, Written
from caedsl.vocabulary.preprocessings import PREPROCESSINGS
from caedsl.vocabulary.source_kind import SourceKind
from caedsl.vocabulary.words import Words

_GRAY = Option("gray", Type.FLAG, False, "convert colours to grey", Written.BARE)
_LIMIT = Option(
    "limit", Type.COUNT, None, "number of training images, drawn at random", domain=Domain(low=1, high=10**12)
)
_ONLY = Option("only", Type.LABEL, None, "only images of this class", domain=Domain(low=0, high=10**9))
RESIZE = Option(
    "resize", Type.CHOICE, "stretch", "how images are resized to the input", choices=("stretch", "fit", "crop")
)
_NORMALIZE = Option(
    "normalize",
    Type.CHOICE,
    None,
    "normalisation of each channel; inverted in outputs",
    choices=tuple(PREPROCESSINGS),
)
_PATCHES = Option(
    "patches",
    Type.COUNT,
    None,
    "number of patches to cut from each image, of the input's size, at random places",
    domain=Domain(low=1, high=10**6),
)
_PATH = Option("path", Type.PATH, REQUIRED, "path, relative to the folder of the spec", Written.FIRST)
_WHITE = Option(
    "white", Type.COUNT, None, "the value of white, if it is not 255 or 65535", domain=Domain(low=1, high=2**32 - 1)
)
_SKIP = Option("skip", Type.CHOICE, None, "skip files that cannot be decoded", choices=("broken",))
_LABELS = Option("labels", Type.PATH, None, "a file with one label per image")
_WEIGHTS = Option("weights", Type.PATH, None, "a file with one number per image: its weight in the loss")
_LAYOUT = Option("layout", Type.CHOICE, None, "where an array has its channels", choices=("first", "last"))
_VALIDATION = Option("validation", Type.PATH, None, "samples of the same kind to validate on")
_TEST = Option("test", Type.PATH, None, "samples of the same kind to test on")
_HELD_OUT = (
    _VALIDATION,
    _TEST,
    Option("validation_target", Type.PATH, None, "targets of the samples to validate on"),
    Option("test_target", Type.PATH, None, "targets of the samples to test on"),
)
_TARGETS = Option("target", Type.PATH, None, "targets: files of the same names, or an array in the same order")
_WINDOWS = (
    Option(
        "window", Type.COUNT, None, "length of a sample in time steps; by default that of the input", domain=FROM_ONE
    ),
    Option(
        "step",
        Type.COUNT,
        None,
        "time steps from one window to the next; by default the length of a window",
        domain=FROM_ONE,
    ),
)
_IMAGES, _ANY = (2,), (1, 2, 3)
_PICTURES = (_GRAY, _LIMIT, RESIZE, _ONLY, _NORMALIZE)

DIGITS = SourceKind(
    name="digits",
    options=_PICTURES,
    reader=("digits", "read"),
    ranks=_IMAGES,
    arrays=False,
    always=True,
    labels="every image of this source has a label",
    preset=presets.DIGITS,
)
MNIST = SourceKind(
    name="mnist",
    options=_PICTURES,
    reader=("mnist", "read"),
    ranks=_IMAGES,
    arrays=False,
    labels="every image of this source has a label",
    preset=presets.MNIST,
)
FASHION_MNIST = SourceKind(
    name="fashion_mnist",
    options=_PICTURES,
    reader=("mnist", "read"),
    ranks=_IMAGES,
    arrays=False,
    labels="every image of this source has a label",
    preset=presets.FASHION_MNIST,
)
KMNIST = SourceKind(
    name="kmnist",
    options=_PICTURES,
    reader=("mnist", "read"),
    ranks=_IMAGES,
    arrays=False,
    labels="every image of this source has a label",
    preset=presets.KMNIST,
)
CIFAR10 = SourceKind(
    name="cifar10",
    options=_PICTURES,
    reader=("cifar10", "read"),
    ranks=_IMAGES,
    arrays=False,
    labels="every image of this source has a label",
    preset=presets.CIFAR10,
)
FOLDER = SourceKind(
    name="folder",
    options=(_PATH, _TARGETS, *_PICTURES, _PATCHES, _WHITE, _SKIP, *_HELD_OUT),
    reader=("folder", "read"),
    ranks=_IMAGES,
    arrays=False,
    labels="put the images into one subfolder per class",
    target_field="path",
)
MANIFEST = SourceKind(
    name="manifest",
    options=(
        _PATH,
        Option("target", Type.FIELD, None, "the column with the paths of targets"),
        *_PICTURES,
        _WHITE,
        _SKIP,
    ),
    reader=("manifest", "read"),
    ranks=_IMAGES,
    arrays=False,
    labels="fill in the column `label`",
    target_field="key",
    weight_column=True,
    lists_files=True,
)
NPY = SourceKind(
    name="npy",
    options=(_PATH, _TARGETS, *_PICTURES, _WHITE, _LABELS, _WEIGHTS, _LAYOUT, *_HELD_OUT),
    reader=("arrays", "read_npy"),
    ranks=_ANY,
    arrays=True,
    labels='add `labels="labels.npy"`',
    target_field="path",
    endings=(".npy",),
)
NPZ = SourceKind(
    name="npz",
    options=(
        _PATH,
        *_PICTURES,
        _WHITE,
        Option("key", Type.FIELD, None, "the name of the array; required if the file has several"),
        Option("target", Type.FIELD, None, "the name of the array of targets"),
        Option("labels", Type.FIELD, None, "the name of the array of labels"),
        Option("weights", Type.FIELD, None, "the name of the array of weights"),
        _LAYOUT,
        Option("validation", Type.FIELD, None, "the name of an array to validate on"),
        Option("test", Type.FIELD, None, "the name of an array to test on"),
        Option("validation_target", Type.FIELD, None, "the name of the array of targets to validate on"),
        Option("test_target", Type.FIELD, None, "the name of the array of targets to test on"),
    ),
    reader=("arrays", "read_npz"),
    ranks=_ANY,
    arrays=True,
    labels="add `labels=y`",
    target_field="key",
    endings=(".npz",),
)
IDX = SourceKind(
    name="idx",
    options=(_PATH, _TARGETS, *_PICTURES, _WHITE, _LABELS, _WEIGHTS, _LAYOUT, *_HELD_OUT),
    reader=("idx", "read"),
    ranks=_ANY,
    arrays=True,
    labels='add `labels="labels-idx1-ubyte"`',
    target_field="path",
    endings=("-ubyte", "-idx", "-ubyte.gz", "-idx.gz"),
)
PARQUET = SourceKind(
    name="parquet",
    options=(
        _PATH,
        *_PICTURES,
        _WHITE,
        _SKIP,
        Option("key", Type.FIELD, None, "the column of samples; required if there are several candidates"),
        Option("target", Type.FIELD, None, "the column of targets"),
        Option("labels", Type.FIELD, None, "the column of labels; by default the one with class names"),
        Option("weights", Type.FIELD, None, "the column of weights of the samples in the loss"),
        _LAYOUT,
        _VALIDATION,
        _TEST,
    ),
    reader=("parquet", "read"),
    ranks=_ANY,
    arrays=False,
    labels="add `labels=label`, a column of numbers or words",
    target_field="key",
    endings=(".parquet",),
    folders=True,
    configured=True,
)
CSV = SourceKind(
    name="csv",
    options=(
        _PATH,
        *_WINDOWS,
        Option("columns", Type.TEXT, None, "the columns to read, one per channel; by default all"),
        Option("target", Type.TEXT, None, "the columns of targets, one per channel"),
        Option("labels", Type.TEXT, None, "the column of labels; the label of a window is its largest one"),
        _LIMIT,
        RESIZE,
        _ONLY,
        _NORMALIZE,
        _VALIDATION,
        _TEST,
    ),
    reader=("table", "read"),
    ranks=(1,),
    arrays=True,
    labels='add `labels="label"`, a column of whole numbers',
    target_field="columns",
    endings=(".csv", ".tsv", ".txt"),
    configured=True,
)
WAV = SourceKind(
    name="wav",
    options=(_PATH, _TARGETS, *_WINDOWS, _LIMIT, RESIZE, _ONLY, _NORMALIZE, _SKIP, *_HELD_OUT),
    reader=("wav", "read"),
    ranks=(1,),
    arrays=False,
    labels="put the sounds into one subfolder per class",
    target_field="path",
    endings=(".wav", ".wave"),
    folders=True,
    configured=True,
)
NIFTI = SourceKind(
    name="nifti",
    options=(_PATH, _TARGETS, _LIMIT, RESIZE, _ONLY, _NORMALIZE, _WHITE, _SKIP, *_HELD_OUT),
    reader=("nifti", "read"),
    ranks=(3,),
    arrays=False,
    labels="put the volumes into one subfolder per class",
    target_field="path",
    endings=(".nii", ".nii.gz"),
    folders=True,
    configured=True,
)
HEARTBEATS = SourceKind(
    name="heartbeats",
    options=(_LIMIT, _ONLY, _NORMALIZE),
    reader=("synthetic", "heartbeats"),
    ranks=(1,),
    arrays=False,
    labels="every signal of this source has a label",
    generated=True,
    always=True,
)
PHANTOMS = SourceKind(
    name="phantoms",
    options=(_LIMIT, _ONLY, _NORMALIZE),
    reader=("synthetic", "phantoms"),
    ranks=(3,),
    arrays=False,
    labels="every volume of this source has a label",
    generated=True,
    always=True,
)

SOURCES = Words(__name__, SourceKind)
