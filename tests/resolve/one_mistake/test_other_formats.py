"""A text that is not a spec at all is one finding."""

import pytest

from caedsl.diagnostics.edits import apply_edits
from tests.resolve.one_mistake.cases import PARTS, errors, faults_of_language, quoted, whole

OTHER_FORMATS = [
    ('{\n  "autoencoder": "a",\n  "encoder": [{"conv": 8, "stride": 2}, {"conv": 16}]\n}', "JSON"),
    ("{'autoencoder': 'a', 'input': [1, 16, 16]}", "JSON"),
    ('[{"type": "conv", "filters": 8}, {"type": "relu"}]', "JSON"),
    ("[model]\nname = a\n[encoder]\nconv 8 s2\n[decoder]\nmirror\n", "in brackets"),
    ("[[layer]]\nconv = 8\n[[layer]]\nconv = 16\n", "in brackets"),
    (whole(train="[train]\nbatch 8"), "in brackets"),
    ("autoencoder: a\ninput: [1, 16, 16]\nencoder:\n  - conv: 8\n    stride: 2\ndecoder: mirror\n", "YAML"),
    ("import torch\nfrom torch import nn\n\nclass A(nn.Module):\n    pass\n", "Python"),
    ("def encoder(x):\n    return conv(x)\n", "Python"),
    ("<!DOCTYPE html>\n<html><body>x</body></html>", "HTML"),
    ("--- a/x.cae\n+++ b/x.cae\n@@ -1,3 +1,3 @@\n-input 1x28x28\n+input 1x32x32\n", "patch"),
    (whole(input="<<<<<<< HEAD\ninput 1x16x16\n=======\ninput 1x8x8\n>>>>>>> other"), "merge conflict"),
    (f"```cae\n{whole()}```\n", "backticks"),
]


@pytest.mark.parametrize(("text", "named"), OTHER_FORMATS)
def test_a_text_in_another_format_is_one_finding(text: str, named: str) -> None:
    (finding,) = errors(text)
    assert named in finding.message
    for line in quoted(finding.help):
        if line.split()[0] in PARTS:
            assert not faults_of_language(whole(**{line.split()[0]: line}))
    if finding.fix is not None:
        assert not errors(apply_edits(text, finding.fix.edits))
