"""A layer for feature maps behind a vector.

## What it does
Reports convolutions, pools, upsampling and instance normalisation where what comes before has no height and width, and
normalisations of an image by itself (`norm=instance`, `layer`, `group`) where every mean is that of a single number.

## Why is this bad?
A vector has no neighbours to convolve over. And a number less its own mean is 0, whatever the image.

## Example
```cae
encoder { dense 64 relu; conv 8 relu }
```

## Instead
```cae
encoder { dense 64 relu; reshape 4x4x4; conv 8 relu }
decoder { conv 8 relu; upsample 7; conv 1 sigmoid }
```

## How sure
Arithmetic.
"""

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE206", "needs-a-map", Severity.ERROR)
