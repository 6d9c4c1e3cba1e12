"""Fixes applied, merged and shown as a diff; the summary; words suggested; colour chosen."""

import io
import re

import pytest

from caedsl.diagnostics import Applicability, Edit, Finding, Fix, Label, Report, Severity
from caedsl.diagnostics.colour import use_colour
from caedsl.diagnostics.diff import unified_diff
from caedsl.diagnostics.edits import apply_edits, merge_fixes, removals
from caedsl.diagnostics.suggest import did_you_mean
from caedsl.diagnostics.summary import summary
from caedsl.source import Source, Span


def edit(start, end, text):
    return Edit(Span(start, end), text)


def fix(*edits, applicability=Applicability.SAFE):
    return Fix("fix", edits, applicability)


def test_edits_replace_insert_and_remove():
    edits = [edit(0, 0, "# note\n"), edit(0, 4, "conv"), edit(4, 7, ""), edit(8, 8, "!")]
    assert apply_edits("covn 64x", edits) == "# note\nconvx!"


@pytest.mark.parametrize(
    "edits",
    [[edit(2, 4, ""), edit(0, 1, "")], [edit(0, 3, ""), edit(2, 4, "")], [edit(4, 9, "")], [edit(3, 2, "")]],
    ids=["unsorted", "overlapping", "outside", "backwards"],
)
def test_edits_that_make_no_sense_are_a_bug(edits):
    with pytest.raises(ValueError, match="overlaps the edit before it"):
        apply_edits("12345", edits)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("{ a; b; c }", "{ a }"),
        ("{ a; b; c; }", "{ a; }"),
        ("{ a;b;c }", "{ a }"),
        ("{\na; b; c # d\n}", "{\na # d\n}"),
        ("{\na\nb\nc\n}", "{\na\n}"),
    ],
)
def test_removals_of_neighbours_do_not_overlap(text, left):
    spans = [Span(text.index(word), text.index(word) + 1) for word in "cb"]
    assert apply_edits(text, removals(text, spans)) == left


def test_overlapping_fix_waits_for_the_next_run():
    first, clash, last = fix(edit(0, 4, "a"), edit(8, 9, "b")), fix(edit(3, 5, "c")), fix(edit(5, 6, "d"))
    chosen, edits = merge_fixes([last, clash, first])
    assert chosen == (first, last)
    assert edits == (edit(0, 4, "a"), edit(5, 6, "d"), edit(8, 9, "b"))


def test_two_insertions_in_one_place_do_not_go_together():
    one, other = fix(edit(4, 4, " ceil")), fix(edit(4, 4, " k3"))
    assert merge_fixes([one, other])[0] == (one,)


def test_neighbours_go_together():
    one, other = fix(edit(0, 4, "a")), fix(edit(4, 6, "b"))
    assert merge_fixes([one, other])[0] == (one, other)


def test_the_same_change_for_two_findings_is_made_once():
    chosen, edits = merge_fixes([fix(edit(0, 4, "a")), fix(edit(0, 4, "a"))])
    assert len(chosen) == 2
    assert edits == (edit(0, 4, "a"),)


def test_diff_as_patch_reads_it():
    before = "autoencoder a\ninput 1x8x8\n}"
    assert unified_diff(before, before.replace("1x8x8", "1x9x9"), "specs/a.cae") == (
        "--- specs/a.cae\n+++ specs/a.cae\n@@ -1,3 +1,3 @@\n autoencoder a\n-input 1x8x8\n+input 1x9x9\n }\n"
        "\\ No newline at end of file\n"
    )


def test_diff_keeps_line_endings_and_does_not_break_lines_at_other_separators():
    assert "-a\x0cb\r\n+a\r\n" in unified_diff("a\x0cb\r\nc\r\n", "a\r\nc\r\n", "x")
    assert unified_diff("same", "same", "x") == ""


def test_coloured_diff_only_adds_codes():
    plain, coloured = unified_diff("--a\n", "++b\n", "x"), unified_diff("--a\n", "++b\n", "x", colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert "\x1b[91m---a\x1b[0m" in coloured and "\x1b[92m+++b\x1b[0m" in coloured


def report(*found):
    findings = [
        Finding("n", "m", Label(Span(0, 0)), severity=severity, fix=applicability and fix(applicability=applicability))
        for severity, applicability in found
    ]
    return [Report(Source(""), tuple(findings))]


@pytest.mark.parametrize(
    ("found", "checked", "text"),
    [
        ([], 3, "All 3 specs are fine."),
        ([], 1, "The spec is fine."),
        ([], 0, "No spec was checked."),
        ([(Severity.ERROR, None)], 1, "Found 1 error."),
        (
            [(Severity.ERROR, None), (Severity.WARNING, Applicability.SAFE), (Severity.ERROR, None)],
            2,
            "Found 2 errors, 1 warning (1 fixable with --fix).",
        ),
        (
            [(Severity.INFO, Applicability.UNSAFE), (Severity.INFO, Applicability.DISPLAY)],
            1,
            "Found 2 infos (1 fixable with --fix --unsafe-fixes).",
        ),
        (
            [(Severity.ERROR, Applicability.SAFE), (Severity.ERROR, Applicability.UNSAFE)],
            1,
            "Found 2 errors (1 fixable with --fix, 1 more with --fix --unsafe-fixes).",
        ),
    ],
)
def test_summary(found, checked, text):
    assert summary(report(*found), checked) == text


KINDS = [
    "conv",
    "deconv",
    "maxpool",
    "avgpool",
    "upsample",
    "pixelshuffle",
    "dense",
    "reshape",
    "dropout",
    "residual",
    "repeat",
    "stage",
]
ACTIVATIONS = [
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "prelu",
    "softplus",
    "tanh",
    "sigmoid",
    "linear",
]
OPTIONS = [
    "k",
    "s",
    "d",
    "g",
    "x",
    "norm",
    "groups",
    "affine",
    "eps",
    "momentum",
    "l2",
    "l1",
    "dropout",
    "init",
    "bias",
    "pad",
    "output_pad",
    "stride",
    "kernel",
]
SETTINGS = [
    "loss",
    "optimizer",
    "schedule",
    "batch",
    "epochs",
    "validation",
    "stop",
    "corrupt",
    "augment",
    "clip",
    "precision",
    "ema",
    "seed",
    "lr",
]


@pytest.mark.parametrize(
    ("word", "candidates", "meant"),
    [
        ("cnov", KINDS, "conv"),
        ("covn2d", KINDS, "conv"),
        ("Conv2D", KINDS, "conv"),
        ("convolution", KINDS, "conv"),
        ("MaxPool2d", KINDS, "maxpool"),
        ("max_pool", KINDS, "maxpool"),
        ("dropuot", KINDS, "dropout"),
        ("drop", KINDS, "dropout"),
        ("strdes", OPTIONS, "stride"),
        ("kernal", OPTIONS, "kernel"),
        ("sigmod", ACTIVATIONS, "sigmoid"),
        ("leakyrelu", ACTIVATIONS, "leaky_relu"),
        ("tahn", ACTIVATIONS, "tanh"),
        ("rleu", ACTIVATIONS, "relu"),
        ("optimiser", SETTINGS, "optimizer"),
        ("epoch", SETTINGS, "epochs"),
        ("batch_size", SETTINGS, "batch"),
    ],
)
def test_the_word_that_was_meant(word, candidates, meant):
    assert did_you_mean(word, candidates) == meant


@pytest.mark.parametrize("word", ["transformer", "q", "xy", "", "banana"])
def test_nothing_near_is_no_suggestion(word):
    assert did_you_mean(word, [*KINDS, *ACTIVATIONS, *OPTIONS, *SETTINGS]) is None


def test_a_word_is_never_suggested_for_itself():
    assert did_you_mean("conv", ["conv"]) is None
    assert did_you_mean("conv", ["conv", "deconv"]) != "conv"
    assert did_you_mean("lr", [], {"lr": "lr"}) is None
    assert did_you_mean("Conv", ["conv"]) == "conv"


def test_aliases_name_the_word_of_this_language():
    aliases = {"learning_rate": "lr", "batchnorm": "norm=batch"}
    assert did_you_mean("learning_rate", SETTINGS, aliases) == "lr"
    assert did_you_mean("LerningRate", SETTINGS, aliases) == "lr"
    assert did_you_mean("BatchNorm2d", KINDS, aliases) == "norm=batch"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("environment", "terminal", "wanted"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
    ],
)
def test_colour_is_used_where_it_is_wanted(environment, terminal, wanted, monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert use_colour(Terminal() if terminal else io.StringIO()) is wanted
