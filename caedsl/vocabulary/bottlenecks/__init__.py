"""Forms of a bottleneck: one file per form, with everything that the compiler knows about it."""

from importlib import import_module
from pkgutil import iter_modules

from caedsl.vocabulary.form import Form


def _found() -> tuple[Form, ...]:
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    classes = (value for module in modules for value in vars(module).values() if isinstance(value, type))
    forms = {form.name: form() for form in classes if issubclass(form, Form) and "name" in vars(form)}
    return tuple(sorted(forms.values(), key=lambda form: (-len(form.words), form.name)))


FORMS = _found()
"""All forms; those selected by more words come first."""

BY_NAME = {form.name: form for form in FORMS}

FIRST_WORDS = tuple(dict.fromkeys(form.words[0] for form in FORMS if form.words))
"""Words with which the line of a form begins."""
