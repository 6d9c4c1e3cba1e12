"""Fixes: only effective ones are offered, and applying them leaves none to apply."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caedsl.diagnostics import Applicability, Edit, Finding, Fix, Label, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine import checking, compiling, fixing
from caedsl.rules.engine.checking import MOST_FINDINGS, Checked, Selection, check_source, examine
from caedsl.rules.engine.cures import LEFTOVERS, cures
from caedsl.rules.engine.fixing import fix_source
from caedsl.rules.engine.verification import verified
from caedsl.source import Source, Span
from caedsl.syntax.tree import Spec
from tests.conftest import SPECS
from tests.generated import spec_texts
from tests.mutations import mutated

SOUND = """\
autoencoder small
input 1x28x28 in 0..1
data mnist else digits
encoder { conv 16 relu; maxpool 2 }
bottleneck dense 32
decoder mirror
train { loss mse; optimizer adam lr=1e-3; batch 128; epochs 20 }
"""

MANY = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Examine = Callable[[Source], Sequence[Finding]]


def bad_words(*rules: str, compiled: str = "") -> Examine:
    """Return a checker that reports every occurrence of some words, named after the word; ``compiled`` are errors."""

    def examine(source: Source) -> list[Finding]:
        found = []
        for word in rules:
            start = source.text.find(word)
            while start >= 0:
                span = Span(start, start + len(word))
                severity = Severity.ERROR if word == compiled else Severity.WARNING
                found.append(Finding(word, f"there is {word}", Label(span), severity=severity))
                start = source.text.find(word, start + 1)
        return found

    return examine


def replaced(source: Source, word: str, by: str, applicability: Applicability = Applicability.SAFE) -> Fix:
    start = source.text.index(word)
    return Fix(f"write {by}", (Edit(Span(start, start + len(word)), by),), applicability)


def offered(text: str, word: str, by: str, examine: Examine, parsed: bool = True) -> Fix | None:
    """Return the verified fix of the first finding of ``word``, which proposes to write ``by``."""
    source = Source(text)
    findings = examine(source)
    proposed = [replace(f, fix=replaced(source, word, by)) if f.name == word else f for f in findings]
    kept = verified(source, proposed, findings, examine, parsed)
    return next(finding.fix for finding in kept if finding.name == word)


def test_a_fix_that_cures_is_offered() -> None:
    assert offered("one bad two", "bad", "good", bad_words("bad")) is not None


def test_a_fix_that_leaves_its_finding_is_not() -> None:
    assert offered("one bad two", "bad", "bad!", bad_words("bad")) is None


def test_a_fix_that_moves_its_finding_is_not() -> None:
    assert offered("bad two bid", "bad", "x bad", bad_words("bad")) is None


def test_a_fix_that_brings_another_finding_is_not() -> None:
    assert offered("one bad two", "bad", "worse", bad_words("bad", "worse")) is None


def test_other_findings_that_were_there_do_not_count() -> None:
    assert offered("bad bad worse", "bad", "good", bad_words("bad", "worse")) is not None


def test_one_more_of_a_finding_that_was_there_counts() -> None:
    assert offered("bad worse", "bad", "worse", bad_words("bad", "worse")) is None


def test_what_an_error_of_the_compiler_hid_elsewhere_does_not_count_but_errors_on_its_line_do() -> None:
    words = bad_words("bad", "hidden", compiled="bad")

    def hiding(source: Source) -> Sequence[Finding]:
        findings = words(source)
        return findings if "bad" not in source.text else [finding for finding in findings if finding.name == "bad"]

    assert offered("bad\nhidden", "bad", "good", hiding) is not None
    errors = bad_words("bad", "hidden", compiled="hidden")

    def hiding_errors(source: Source) -> Sequence[Finding]:
        findings = [replace(finding, severity=Severity.ERROR) for finding in errors(source)]
        return findings if "bad" not in source.text else [finding for finding in findings if finding.name == "bad"]

    assert offered("bad\nhidden", "bad", "good", hiding_errors) is not None
    assert offered("bad hidden", "bad", "good", hiding_errors) is None


def test_in_a_text_with_syntax_errors_a_fix_is_only_shown() -> None:
    fix = offered("one bad two", "bad", "good", bad_words("bad"), parsed=False)
    assert fix is not None
    assert fix.applicability is Applicability.DISPLAY


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_what_a_fix_inserts_has_the_line_endings_of_the_text(ending: str) -> None:
    fix = offered(f"one{ending}bad", "bad", "good\nbetter", bad_words("bad"))
    assert fix is not None
    assert fix.edits[0].text == f"good{ending}better"


def test_fixes_that_cause_a_finding_together_are_rejected() -> None:
    def examine(source: Source) -> Sequence[Finding]:
        found = bad_words("left", "right")(source)
        return found if found else bad_words("both")(Source("both"))

    source = Source("left right")
    findings = examine(source)
    edits = [replaced(source, word, "ok").edits[0] for word in ("left", "right")]
    assert cures(source, edits[:1], findings[:1], findings, examine)
    assert not cures(source, edits, findings, findings, examine)


def test_of_very_many_fixes_the_first_are_made_alone_and_the_others_together() -> None:
    source = Source("bad " * 3000)
    findings = bad_words("bad")(source)
    proposed = [replace(f, fix=Fix("", (Edit(f.primary.span, "good"),), Applicability.SAFE)) for f in findings]
    looked_at: list[Source] = []

    def examine(changed: Source) -> Sequence[Finding]:
        looked_at.append(changed)
        return bad_words("bad", *spoilers)(changed)

    for spoilers, last_is_offered in ((), True), (("good " * 100,), False):  # noqa: B007 (examine uses it)
        looked_at.clear()
        kept = verified(source, proposed, findings, examine, parsed=True)
        assert len(looked_at) < 50
        assert kept[0].fix is not None
        assert (kept[-1].fix is not None) is last_is_offered


def test_a_sound_spec_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("nothing was to be verified")

    monkeypatch.setattr("caedsl.rules.engine.verification.verified", refuse)
    assert check_source(Source(SOUND)).findings == ()


def test_a_rule_that_was_not_selected_still_checks_a_fix() -> None:
    text = SOUND.replace("bottleneck", "let unused = 3\nbottleneck").replace("conv 16", "cnov 16")
    wide, narrow = (check_source(Source(text), Selection(select)) for select in (None, frozenset({"overcomplete"})))
    of_wide, of_narrow = ([f.fix for f in found.findings if f.name == "unknown-layer"] for found in (wide, narrow))
    assert of_wide == of_narrow
    assert of_wide[0] is not None


def test_fixing_continues_until_nothing_is_left() -> None:
    text = SOUND.replace("conv 16 relu", "cnov 16 rleu").replace("mse", "mze").replace("adam lr", "adma lr")
    fixed = fix_source(Source(text))
    assert fixed.checked.source.text == SOUND
    assert fixed.made == 4
    assert fixed.checked.findings == ()


def test_a_text_with_syntax_errors_is_left() -> None:
    text = SOUND.replace("conv", "cnov").replace("dense 32", "dense (32, 3")
    fixed = fix_source(Source(text), unsafe=True)
    assert (fixed.checked.source.text, fixed.made) == (text, 0)
    assert not fixed.checked.spec.complete


@pytest.mark.parametrize("unsafe", [False, True], ids=["safe", "unsafe"])
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_fixing_a_shipped_spec_twice_is_fixing_it_once(path: object, unsafe: bool) -> None:
    text = path.read_text("utf-8")
    holds_what_fixing_promises(text, unsafe)


@MANY
@given(st.one_of(spec_texts(), mutated()), st.booleans())
def test_fixing_a_faulty_spec_twice_is_fixing_it_once(text: str, unsafe: bool) -> None:
    holds_what_fixing_promises(text, unsafe)


def holds_what_fixing_promises(text: str, unsafe: bool) -> None:
    """Assert that fixing is idempotent, leaves no applicable fix, and adds no errors."""
    fixed = fix_source(Source(text), unsafe=unsafe)
    again = fix_source(fixed.checked.source, unsafe=unsafe)
    assert again.checked.source.text == fixed.checked.source.text
    assert again.made == 0
    if not fixed.checked.spec.complete:
        assert fixed.checked.source.text == text
        return
    wanted = {Applicability.SAFE, Applicability.UNSAFE} if unsafe else {Applicability.SAFE}
    assert not [finding for finding in fixed.checked.findings if finding.fix and finding.fix.applicability in wanted]
    if fixed.made == 0:
        assert fixed.checked.source.text == text


@MANY
@given(spec_texts(), mutated())
def test_every_fix_that_is_offered_cures(sound: str, faulty: str) -> None:
    for text in (sound, faulty):
        checked = check_source(Source(text))
        for finding in checked.findings:
            if finding.fix is None or not checked.spec.complete:
                continue
            fixed = check_source(Source(apply(text, finding.fix)))
            before = sum(other.name == finding.name for other in checked.findings)
            after = sum(other.name == finding.name for other in fixed.findings)
            assert after < before or not checked.model or not checked.model.complete, (text, finding)
            if not checked.has_errors:  # an error hides what rules would find
                assert serious(fixed) <= serious(checked) | {*LEFTOVERS}, (text, finding)


FAULTY = (
    SOUND.replace("bottleneck", "let unused = 3\nbottlenck")
    .replace("batch", "bacth")
    .replace(
        "encoder {",
        "defaults conv norm=btach\nblock part w { cnov w rellu; conv w l2=0 }\n"
        "encoder {\n  part 8\n  conv 8 as fine; add fien; dropout 0; relu x2\n  conv relu 8;",
    )
)
"""Mistakes that depend on each other: each word is misspelt where it is used, or where it is defined."""


def test_a_fix_that_was_tried_together_with_others_also_works_alone() -> None:
    source = Source(FAULTY)
    before = examine(source).findings
    fixable = [finding for finding in check_source(source).findings if finding.fix]
    assert len(fixable) >= 8
    for finding in fixable:
        assert cures(source, finding.fix.edits, [finding], before, lambda text: examine(text).findings), finding


def test_misspelt_names_of_outputs_are_all_found_at_once() -> None:
    count = 25
    named = "".join(f"  conv 16 relu as stage{i}\n" for i in range(count))
    read = "".join(f"  add stgae{i}\n" for i in range(count))
    text = SOUND.replace("encoder {", f"encoder {{\n{named}").replace(
        "decoder mirror", f"decoder {{\n  upsample 2\n{read}  conv 1 sigmoid\n}}"
    )
    found = [finding for finding in check_source(Source(text)).findings if finding.name == "unknown-name"]
    assert len([finding for finding in found if finding.fix]) == count


def serious(checked: Checked) -> set[str]:
    return {finding.name for finding in checked.findings if finding.severity is not Severity.INFO}


def apply(text: str, fix: Fix) -> str:
    from caedsl.diagnostics.edits import apply_edits

    return apply_edits(text, fix.edits)


@pytest.mark.parametrize(
    "text",
    [
        SOUND.replace("conv 16 relu", "conv width relu x2; conv width relu").replace(
            "\nencoder", "\nlet widht = 8\nencoder"
        ),
        SOUND.replace("conv 16 relu", "pair 8; pair 16").replace(
            "\nencoder", "\nblock pair widht { conv width relu; conv width*2 relu }\nencoder"
        ),
    ],
    ids=["constant", "parameter"],
)
def test_the_fix_of_a_misspelt_name_changes_every_use(text: str) -> None:
    found = fix_source(Source(text), unsafe=True)
    assert found.source.text == text.replace("width", "widht")


MOST_RESOLUTIONS = 100
"""Read a text at most this many times for all of its fixes, however many it has."""


def faulty_lines(count: int, *lines: str, last: str = "upsample to 28x28; conv 1 sigmoid") -> str:
    """Return a spec with that many faulty lines, which take turns."""
    body = "\n".join(f"  {lines[number % len(lines)]}" for number in range(count))
    return SOUND.replace("{ conv 16 relu;", f"{{\n{body}\n ").replace("mirror", f"{{ {last} }}")


@pytest.fixture
def resolutions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect every text that is resolved from here on."""
    seen: list[str] = []
    resolve = compiling.resolve

    def counting(spec: Spec, source: Source) -> tuple[Autoencoder | None, tuple[Finding, ...]]:
        seen.append(source.text)
        return resolve(spec, source)

    monkeypatch.setattr(compiling, "resolve", counting)
    compiling.compiled.cache_clear()
    checking.examined.cache_clear()
    return seen


@pytest.mark.parametrize("count", [10, 160])
def test_many_fixes_are_verified_together(count: int, resolutions: list[str]) -> None:
    checked = check_source(Source(faulty_lines(count, "conv 8 rleu", "cnov 8 relu")))
    errors = [finding for finding in checked.findings if finding.name.startswith("unknown-")]
    assert len(errors) == min(count, MOST_FINDINGS)
    assert all(finding.fix for finding in errors)
    assert len(resolutions) == 2


@pytest.mark.parametrize("count", [10, 160])
def test_one_fix_that_fails_does_not_take_the_others_with_it(count: int, resolutions: list[str]) -> None:
    text = faulty_lines(count, "conv 8 rleu", last="upsample to 28x28; conv 3 sigmiod")
    fixed = fix_source(Source(text))
    assert fixed.made == count
    assert "rleu" not in fixed.source.text
    assert "sigmiod" in fixed.source.text
    assert len(resolutions) <= MOST_RESOLUTIONS


def test_the_variants_of_a_sweep_are_resolved_once_for_each_text_that_fixes_make(resolutions: list[str]) -> None:
    text = """autoencoder swept
input 3x12x12 in real
data fashion_mnist
encoder { conv 64 k3 s2 relu norm=batch }
bottleneck
decoder { scale 0.1 }
train { epochs 1; batch 10; stop after=2h }
sweep { train.optimizer.lr 0.1 0.2 0.3; train.batch 1..100 x3; data.limit 0.1 0.2 0.3 }
"""
    assert fix_source(Source(text), unsafe=True).made > 2
    variants = [each for each in resolutions if "sweep" not in each]
    assert len(variants) == len(set(variants)) > 100


def test_the_fixes_of_a_large_sweep_are_compared_in_few_examinations(
    resolutions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """autoencoder swept
input 1x28x28
data mnist
encoder { conv 16 k4 s2 sigmoid; conv 32 k4 s2 tanh dropout=90%; conv 32 k3 elu }
bottleneck dense 4 relu
decoder { dense 1568 relu; reshape 32x7x7; deconv 16 k5 s2 relu; upsample to 28x28; conv 1 relu }
train { loss mse; optimizer adamw lr=0.1 weight_decay=10; batch 128; epochs 10 }
sweep { data.limit 59000 60000 }
"""
    monkeypatch.setattr(fixing, "_MOST_READ", 5 * len(text))  # five times the text, but not twice each of its variants
    assert fix_source(Source(text), unsafe=True).made >= 6
    assert len([each for each in resolutions if "sweep" not in each]) <= 2 * 12


@pytest.mark.parametrize("count", [10, 40])
@pytest.mark.parametrize("line", ["conv 8 rleu tahn", "conv 8 kernle=3 kernell=3 rleu"])
def test_fixes_that_interfere_are_made_in_a_bounded_number_of_resolutions(
    line: str, count: int, resolutions: list[str]
) -> None:
    """Two fixes of a line write an activation or a kernel each, which together is an error."""
    fixed = fix_source(Source(faulty_lines(count, line)))
    assert fixed.made >= min(count, MOST_FINDINGS // 3)
    assert len(resolutions) <= MOST_RESOLUTIONS
    assert not [finding for finding in fixed.checked.findings if finding.name == "duplicate-option"]
