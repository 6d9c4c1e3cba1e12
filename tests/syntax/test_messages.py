"""The message of each syntax error: headline, exact place, help, and the text after the fix."""

import pytest

from caedsl.diagnostics.edits import apply_edits
from caedsl.source import Source
from caedsl.syntax.parser import parse

# The text with the error, the headline, the words it points at, the help, and the text after the fix ("" for no fix).
CASES = [
    # YAML
    (
        "conv: 64",
        "there is a colon after `conv`, but a space separates a word from its values",
        ":",
        "write `conv 64`",
        "conv 64",
    ),
    (
        "conv 64 kernel: 3 relu",
        "there is a colon between `kernel` and its value, but options are written with `=`",
        ":",
        "write `conv 64 kernel=3 relu`",
        "conv 64 kernel=3 relu",
    ),
    ("encoder: {\n}", "a colon does not open a block; a brace does", ":", "write `encoder {`", "encoder {\n}"),
    (
        "encoder:\n  conv 8",
        "a colon does not open a block; a brace does",
        ":",
        "replace the colon by `{`, and write `}` after the last line of the block",
        "",
    ),
    ("- conv 64", "this line starts with `-`: lines of a block need no list mark", "-", "write `conv 64`", "conv 64"),
    # Python
    (
        "conv(64, kernel = 3)",
        "`conv(64, kernel = 3)` is written as a call: values follow the word after a space",
        "conv(64, kernel = 3)",
        "write `conv 64 k3`",
        "",
    ),
    (
        "conv 64, k3, relu",
        "there is a comma after `64`, but only spaces separate values",
        ",",
        "write `conv 64 k3 relu`",
        "conv 64 k3 relu",
    ),
    (
        "conv 64,k3",
        "there is a comma after `64`, but only spaces separate values",
        ",",
        "write `conv 64 k3`",
        "conv 64 k3",
    ),
    (
        "input [1, 28, 28] in 0..1",
        "`[1, 28, 28]` is not a size; sizes are written as `1x28x28`",
        "[1, 28, 28]",
        "write `input 1x28x28 in 0..1`",
        "input 1x28x28 in 0..1",
    ),
    (
        "conv 64 kernel=(3, 5)",
        "`(3, 5)` is not a size; sizes are written as `3x5`",
        "(3, 5)",
        "write `conv 64 kernel=3x5`",
        "conv 64 kernel=3x5",
    ),
    (
        "adam betas=(0.9, 0.999)",
        "parentheses group arithmetic and cannot contain commas",
        ",",
        "give each option one value: `k3x5`, `beta1=0.9`",
        "",
    ),
    (
        "batch = 128",
        "there is a `=` after `batch`, but a space separates a statement from its value",
        "=",
        "write `batch 128`; a constant is defined by `let width = 32`",
        "",
    ),
    (
        "conv 64 kernel == 3",
        "`==` is not an assignment: options are written with one `=`",
        "==",
        "write `conv 64 kernel = 3`",
        "conv 64 kernel = 3",
    ),
    (
        "conv 64 kernel=3=4",
        "there is a `=` after `3`, which is not the name of an option",
        "=",
        "write options as name=value: `l2=1e-3`",
        "",
    ),
    (
        "conv 64 -> relu",
        "`->` has no meaning in a spec",
        "->",
        "write one layer per line, starting at the input, with its activation on the same line: `conv 64 relu`",
        "",
    ),
    (
        "adam weight-decay=0.1",
        "`weight-decay` is a difference, because names have no hyphens",
        "weight-decay",
        "write `adam weight_decay=0.1`",
        "adam weight_decay=0.1",
    ),
    (
        "let w = (k=3)",
        "`k=` is in parentheses, but only spaces separate options",
        "=",
        "write options without parentheses: `optimizer adam lr=1e-3`",
        "",
    ),
    # Comments of other languages
    (
        "conv 64 // wide; { }",
        "comments start with `#`, not with `//`",
        "//",
        "write `conv 64 # wide; { }`",
        "conv 64 # wide; { }",
    ),
    ("conv 64 /* a */ relu", "comments start with `#`, not with `/*`", "/*", "write `# …`: it ends with its line", ""),
    ("/* a\nb } */\nconv 64", "comments start with `#`, not with `/*`", "/*", "write `# …`: it ends with its line", ""),
    # Strings
    (
        'folder "photos/',
        "this string is not closed on its line",
        '"photos/',
        'write `folder "photos/"`',
        'folder "photos/"',
    ),
    (
        'folder "photos/ limit=10',
        "this string is not closed on its line",
        '"photos/ limit=10',
        'write `"` at the end of the path',
        "",
    ),
    (
        'folder photos/a"',
        "this quotation mark is not paired on its line",
        '"',
        'write `folder "photos/a"`',
        'folder "photos/a"',
    ),
    ('e { folder "a }', "this string is not closed on its line", '"a', 'write `folder "a"`', 'e { folder "a" }'),
    # Characters
    (
        "input 1×28×28",
        "`×` is a multiplication sign: sizes are joined by the letter x",
        "×",
        "write `input 1x28x28`",
        "input 1x28x28",
    ),
    ("in −1..1", "`−` is a typographic dash: minus is the plain hyphen", "−", "write `in -1..1`", "in -1..1"),
    ("in 0–1", "`–` is a typographic dash: minus is the plain hyphen", "–", "write `-` instead", ""),
    (
        "folder “a b/”",
        "`“` is a typographic quotation mark: paths are written in plain double quotes",
        "“",
        'write `folder "a b/"`',
        'folder "a b/"',
    ),
    (
        "folder 'a/'",
        "`'` is a single quotation mark: paths are written in double quotes",
        "'",
        'write `folder "a/"`',
        'folder "a/"',
    ),
    (
        "conv\u00a064",
        "the character U+00A0 is an invisible space from another program: only plain spaces and tabs separate words",
        "\u00a0",
        "write `conv 64`",
        "conv 64",
    ),
    ("conv６4", "`６` is a full-width character: the language uses the plain ones", "６", "write `conv64`", "conv64"),
    (
        "autoencoder réseau",
        "`é` (latin small letter e with acute) cannot be part of a name",
        "é",
        "names are made of the letters a to z and A to Z, digits and `_`",
        "",
    ),
    ("conv 64 @relu", "`@` has no meaning in a spec", "@", "delete it", ""),
    # Values
    (
        "conv 64 kernel = ",
        "`kernel=` has no value",
        "kernel =",
        "write the value after the `=`, or remove `kernel=`",
        "",
    ),
    (
        "compression 4..",
        "the range `4..` has no upper end",
        "4..",
        "write both ends: `4..N`; a one-sided bound is `>= 4`",
        "",
    ),
    ("in 0..1..2", "a range has two ends, but this is a third one", "..", "write `LOW..HIGH`: `0..1`", ""),
    (
        "loss mse +",
        "`+` has no value after it",
        "+",
        "write the whole expression on one line: a statement ends with its line",
        "",
    ),
    (
        "loss mse + * 2",
        "a value is missing between `+` and `*`",
        "+",
        "write the whole expression on one line: a statement ends with its line",
        "",
    ),
    (
        "let w = (a -1)",
        "`-1` is a negative value, not a difference, because the minus has a space only on its left",
        "-",
        "write `let w = (a - 1)`",
        "let w = (a - 1)",
    ),
    ("let w = 2 * -1", "the sign of `-1` follows `*`", "* -", "put the negative value in parentheses: `(-1)`", ""),
    (
        "let w = (1 +\n 2)",
        "this parenthesis is not closed on its line",
        "(",
        "write `let w = (1 + 2)`",
        "let w = (1 + 2)",
    ),
    ("let w = (1 + 2", "this `(` is never closed", "(", "write `)` where the expression ends", ""),
    ("let w = ()", "these parentheses are empty", "()", "write a value between them", ""),
    (
        "conv (=",
        "a value is missing between `(` and `=`",
        "(",
        "write a value before `=`, or remove the `(`",
        "",
    ),
    ("let w = 1)", "this `)` closes nothing", ")", "delete it, or open it with `(`", ""),
    (
        "let w = (2 3)",
        "`3` follows `2` in parentheses without an operator between them",
        "3",
        "parentheses contain one value: close them with `)`, or write `+`, `-`, `*` or `/` between the two",
        "",
    ),
    (
        "conv 64 k=<",
        "`<` is not a value, but `=` needs one",
        "<",
        "write a number, a size, a word or a path in quotes",
        "",
    ),
    (
        f"conv {'9' * 41}",
        "this number has 41 characters",
        "9" * 41,
        "write numbers in fewer than 40 characters, large ones with a unit or an exponent: `500k`, `1e12`",
        "",
    ),
    (
        "conv 64 k=/2/3",
        "`/` is unexpected after `2`",
        "/",
        "a statement is a word, values and name=value options, separated by spaces: `conv 64 k3 relu l2=1e-3`",
        "",
    ),
    # Starts of statements
    (
        "64 conv",
        "a statement must start with a word, not with `64`",
        "64",
        "write `conv 64`",
        "conv 64",
    ),
    (
        "= 3",
        "a statement must start with a word, not with `=`",
        "=",
        "a statement ends with its line: write it on one line",
        "",
    ),
    (
        "epochs + 3",
        "there is a `+` after `epochs`, which is the word of the statement and not a value",
        "+",
        "write a value between them: `epochs 1 + …`",
        "",
    ),
    # Blocks
    (
        "encoder\n{\n  conv 8\n}",
        "the `{` of `encoder` is on its own line",
        "{",
        "write the brace after the statement, on the same line",
        "encoder {\n  conv 8\n}",
    ),
    (
        "encoder # small\n{\n  conv 8\n}",
        "the `{` of `encoder` is on its own line",
        "{",
        "write the brace after the statement, on the same line",
        "encoder { # small\n\n  conv 8\n}",
    ),
    (
        "encoder { conv 8 } decoder { conv 1 }",
        "`decoder` follows a `}` on the same line",
        "decoder",
        "start a new line, or write `;` after the `}`",
        "encoder { conv 8 }; decoder { conv 1 }",
    ),
    (
        "encoder { conv 8 }, decoder { conv 1 }",
        "there is a comma at the start of a statement, but a new line or `;` separates statements",
        ",",
        "write `decoder {`",
        "encoder { conv 8 }; decoder { conv 1 }",
    ),
    (
        "{ conv 8 }",
        "this block has no word before its `{`",
        "{",
        "write the block's word on the same line: `encoder {`",
        "",
    ),
    ("conv 8\n}", "this `}` closes nothing", "}", "delete it, or open the block it should close: `encoder {`", ""),
    ("encoder {\n  conv 8", "this `{` is never closed", "{", "close the block with `}`", ""),
]


@pytest.mark.parametrize(("text", "message", "place", "help_line", "fixed"), CASES, ids=[case[0] for case in CASES])
def test_one_finding_says_what_and_where_and_what_instead(
    text: str, message: str, place: str, help_line: str, fixed: str
) -> None:
    spec, (finding,) = parse(Source(text))
    assert not spec.complete
    assert finding.message == message
    assert text[slice(*finding.primary.span)] == place
    assert finding.help == help_line
    assert (apply_edits(text, finding.fix.edits) if finding.fix else "") == fixed


@pytest.mark.parametrize("fixed", sorted({case[4] for case in CASES} - {""}))
def test_what_a_fix_leads_to_has_no_errors(fixed: str) -> None:
    spec, findings = parse(Source(fixed))
    assert spec.complete
    assert not findings


def test_a_brace_that_is_never_closed_relates_the_end_of_the_text() -> None:
    text = "encoder {\n  conv 8  # wide\n"
    _, (finding,) = parse(Source(text))
    (end,) = finding.related
    assert end.text == "the text ends here"
    assert end.span.start == end.span.end == len(text) - 1


def test_a_brace_missed_by_the_indent_relates_the_line_before_which_it_is_missing() -> None:
    text = "encoder {\n  conv 8\n\nbottleneck\n"
    _, (finding,) = parse(Source(text))
    assert finding.name == "unbalanced-braces"
    assert text[slice(*finding.primary.span)] == "{"
    (missing,) = finding.related
    assert (text[slice(*missing.span)], missing.text) == ("bottleneck", "a `}` is missing before this line")


def test_names_of_findings() -> None:
    names = {
        "conv: 3": "syntax-error",
        "a {": "unbalanced-braces",
        'a "b': "unclosed-string",
        "a (" + "(" * 40: "nested-too-deeply",
        "a\0": "not-text",
    }
    assert {text: parse(Source(text))[1][0].name for text in names} == names
