"""One mistake gives one finding, whose help is spec text that parses, resolves and keeps the author's own value."""

import re
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caedsl.api import check
from caedsl.diagnostics.edits import apply_edits
from caedsl.diagnostics.finding import Finding, Severity
from caedsl.resolve.settings_table import SETTINGS as SETTING_WORDS
from caedsl.rules.engine.checking import examine
from caedsl.source import Source
from caedsl.vocabulary.joining import Join
from caedsl.vocabulary.layers import KINDS
from tests.conftest import ROOT

PARTS = {
    "autoencoder": "autoencoder a",
    "input": "input 1x16x16",
    "data": "data digits",
    "encoder": "encoder { conv 8 s2 relu }",
    "bottleneck": "bottleneck conv 2",
    "decoder": "decoder mirror",
    "train": "train { batch 8 }",
}
LAYERS = [
    ("upsample 2x", "2"),
    ("repeat 5 { cnov 8 }", "conv"),
    ("repeat 1000 { cnov 8 }", "conv"),
    ("repeat 9 { repeat 9 { conv 8 k3q } }", ""),
    ("max pool 2", "maxpool"),
    ("conv 8 kernel=7", "k7"),
    ("conv 8 kernal=7", "k7"),
    ("conv 8 kernel_size=5x3", "k5x3"),
    ("conv 8 strides=2", "s2"),
    ("conv 8 padding=2", "pad=2"),
    ('conv 8 padding="same"', "pad=same"),
    ("conv 8 padding='same'", "pad=same"),
    ("conv 8 activation='relu'", "relu"),
    ("conv 8 3", "k3"),
    ("conv 8 3 3", "k3"),
    ("conv 16 3x3", "k3"),
    ("conv 16 5x3", "k5x3"),
    ("conv 8x3", "conv 8 k3"),
    ("dense 8x3", "dense 8 x3"),
    ("conv filters=8", "conv 8"),
    ("conv 8 g0", ""),
    ("conv 8 x0", ""),
    ("conv 8 k4/s2", "`k4 s2`"),
    ("conv 8 k4-s2 relu", "`k4 s2`"),
    ("conv 8 k2.5", "`k2` or `k3`"),
    ("conv 8 x1.5", "`x1` or `x2`"),
    ("conv 8@4", "`conv 8 k4`"),
    ("conv 8 @ 5x5 relu", "`conv 8 k5 relu`"),
    ("conv 0", "write 1 or more"),
    ("conv -4", "`4`"),
    ("conv 16.5", "`16` or `17`"),
    ("conv 1e9", "at most 1,048,576"),
    ("conv 8 k0", "write 1 or more"),
    ("repeat 0 { conv 8 }", "write 1 or more"),
    ("repeat 1.5 { conv 8 }", "`1` or `2`"),
    ("conv 8 *3", "x3"),
    ("conv relu 8", "conv 8 relu"),
    ("conv relu", "conv 32 relu"),
    ("conv width relu", "let width = 32"),
    ("conv 8 norm=bn", "batch"),
    ("conv 8 norm=weight_norm", "`weight_norm` alone"),
    ("conv 8 norm=spectral", "`weight_norm` alone"),
    ("conv 8 bias=False", "off"),
    ("conv 8 use_bias=False", "bias=off"),
    ("conv 8 swish", "silu"),
    ("conv 8 batchnorm", "norm=batch"),
    ('conv 8 activation="relu"', "relu"),
    ("conv 8 activation=swish", "silu"),
    ("conv 8 leakyrelu=0.2", "leaky_relu=0.2"),
    ("conv 8 negative_slope=0.2", "leaky_relu=0.2"),
    ("conv 8 leaky=0.2", "leaky_relu=0.2"),
    ("conv 8 rate=0.1", "dropout=0.1"),
    ("maxpool pool_size=2", "maxpool 2"),
    ("maxpool 2 2", "2x2"),
    ("dropout rate=0.2", "dropout 0.2"),
    ("upsample scale_factor=2", "upsample 2"),
    ("BatchNormalization", "norm=batch"),
    ("Flatten", "dense"),
    ("LeakyReLU 0.1", "leaky_relu"),
    ("unpool 2", "upsample 2"),
    ("conv 8 as coarse; conv 8 as fine; conv 8; concat coarse fine", "concat fine"),
    ("conv 8 dropout 0.1", "dropout=0.1"),
    ("conv 8 stride 2", "s2"),
    ("conv 8 norm batch", "norm=batch"),
    ("conv 8 norm", "norm="),
    ("conv 8 relu relu", "keep one"),
    ("residual conv 8", "residual {"),
    ("repeat 2 conv 8", "repeat 2 {"),
    ("avg pool 2", "avgpool"),
    ("conv(8, 3)", "conv 8 k3"),
    ("conv 8 k3,5", "k3x5"),
    ("conv 1,000", "conv 1000"),
    ("conv 8 dropout=0,1", "`conv 8 dropout=0.1`"),
    ("conv 8 pad=0,1", "`conv 8 pad=0x1`"),
    ("conv(8, relu)", "`conv 8 relu`"),
    ("x = Conv2D(8, (3, 3), activation='relu', padding='same')(x)", "`conv 8 k3 relu pad=same`"),
    ("ReLU()", "relu"),
    ("sigmoid()", "`sigmoid`"),
    ("conv 8 relu()", "`conv 8 relu`"),
    ("nn.LeakyReLU(0.2)", "leaky_relu"),
    ("Conv2D(8, (3, 3), activation='relu', padding='same')", "`conv 8 k3 relu pad=same`"),
    ("nn.Conv2d(8, 16, kernel_size=3, stride=2, padding=1, bias=False)", "`conv 16 k3 s2 pad=1 bias=off`"),
    ("nn.ConvTranspose2d(16, 8, 4, 2, 1)", "`deconv 8 k4 s2 pad=1`"),
    ("nn.Linear(128, 8)", "`dense 8`"),
    ("MaxPooling2D((2, 2), padding='same')", "`maxpool 2 ceil`"),
    ("nn.Upsample(scale_factor=2)", "`upsample 2`"),
    ("nn.Flatten()", "remove this line"),
    ("Dropout(rate=0.1)", "`dropout 0.1`"),
    ("x = conv 8", "`conv 8`"),
    ("conv 8 + relu", "`conv 8 relu`"),
    ("conv 8 k 3", "`k3`"),
    ("conv 8 K3", "`k3`"),
    ("conv 8 p1", "`pad=1`"),
    ("conv 8 act=relu", "`relu`"),
    ("conv 8 activation=none", "`linear`"),
    ("conv 8 no bias", "bias="),
    ("conv 8 softmax", "sigmoid"),
    ("softmax", "sigmoid"),
    ("conv 8 kernel_regularizer=l2(1e-3)", "l2="),
    ("conv_transpose 8", "deconv"),
    ("sepconv 8", "depthwise"),
    ("depthwise_conv 8", "depthwise"),
    ("resblock 8", "residual {"),
    ("res 8", "residual {"),
    ("downsample 2", "maxpool 2"),
    ("resize 14x14", "upsample to"),
    ("identity", "remove this line"),
    ("linear", "remove this line"),
    ("PReLU", "prelu"),
    ("permute", "remove this line"),
    ("noise 0.1", "corrupt gaussian=0.1"),
    ("skip", "concat"),
    ("dropout 50", "`50%`"),
    ("dropout p=0.5", "dropout 0.5"),
    ("dense 1_000; reshape 10x10x10", "`1000`"),
    ("dense 1 000; reshape 10x10x10", "`dense 1000`"),
    ("stage 1 { conv 8 }", "letters"),
    ("batch norm", "norm=batch"),
    ("leaky relu 0.1", "leaky_relu"),
    ("up sample 2", "upsample"),
    ("mean_pool 2", "avgpool"),
    ("pool 2", "avgpool 2"),
    ("activation relu", "`relu`"),
    ("sequential { conv 8 }", "stage down {"),
    ("loop 3 { conv 8 }", "repeat 3 {"),
    ("bilinear 2", "upsample 2 bilinear"),
    ("conv 8 LeakyReLU(0.2)", "leaky_relu=0.2"),
    ("conv 8 activation=leaky_relu(0.2)", "leaky_relu=0.2"),
    ("conv 8 leaky_relu 0.2", "leaky_relu=0.2"),
    ("conv 8 ReLU()", "`conv 8 relu`"),
    ("conv 8 weight_decay=1e-4", "l2=1e-4"),
    ("conv 8 init=xavier_uniform", "glorot"),
    ("conv 8 init=kaiming_normal_", "he"),
    ("conv 8 relu, maxpool 2", "`;`"),
    ("nn.ConvTranspose2d(8, 8, 3, stride=2, padding=1, output_padding=1)", "`deconv 8 k3 s2 pad=1 output_pad=1`"),
    ("Conv2D(8, 1, kernel_regularizer=l2(1e-4))", "`conv 8 k1 l2=1e-4`"),
    ("UpSampling2D((2, 2), interpolation='bilinear')", "`upsample 2 bilinear`"),
    ("Reshape((8, 8, 8))", "`reshape 8x8x8`"),
    ("Activation('relu')", "`relu`"),
    ("Concatenate()", "as fine"),
    ("Cropping2D", "`crop 1`"),
    ("ZeroPadding2D", "`pad 1`"),
    ("MaxPooling2D", "`maxpool 2`"),
    ("Dropout", "`dropout 10%`"),
    ("Conv2D relu", "conv"),
    ("convv", "`conv 32`"),
    ("conv 8k3", "`8 k3`"),
    ("conv 8k3s2relu", "`8 k3 s2 relu`"),
    ("conv 8k5x3", "`8 k5x3`"),
    ("conv 8 k3s1", "`k3 s1`"),
    ("conv 8 s1relu", "`s1 relu`"),
    ("conv 1K", "`1k`"),
    ("maxpool 2s2", "`2 s2`"),
    ("dense 8relu", "`8 relu`"),
    ("conv8", "`conv 8`"),
    ("conv_8k3", "`conv 8 k3`"),
    ("conv1 8 k3", "`conv`"),
    ("AdaptiveAvgPool2d(1); reshape 8x1x1", "`globalpool`"),
    ("AdaptiveAvgPool2d 1; reshape 8x1x1", "`globalpool`"),
    ("AdaptiveAvgPool2d((1, 1)); reshape 8x1x1", "`globalpool`"),
    ("conv [8, 3]", "`conv 8 k3`"),
    ("repeat 3 x", "`repeat 3 {"),
    ("repeat x3 { conv 8 }", "`3`"),
    ("repeat 3 copies { conv 8 }", "delete `copies`"),
    ("conv 8 k=3,5", "`conv 8 k3x5`"),
    ("conv 8 kernel=3,3", "`conv 8 k3`"),
    ("conv 8 stride=2,1", "`conv 8 s2x1`"),
    ("conv 8 pad=1,1", "`conv 8 pad=1`"),
    ("conv 8 act=0.1", "leaky_relu=0.1"),
    ("conv 8 swish=1", "`silu`"),
    ("conv 8 celu", "`elu`"),
    ("conv 8 glu", "`silu`"),
    ("glu", "`silu`"),
    ("Conv1D 8", "a signal: `input 1x64`"),
    ("conv3d 8 relu", "a volume: `input 1x64x64x64`"),
    ("conv-2d 8", "`conv`"),
    ("conv 8 leaky-relu", "`leaky_relu`"),
    ("conv 8 relu * 3", "`relu x3`"),
    ("3x conv 8", "`conv 8 x3`"),
    ("conv 8 clip 0..1", "`clip=0..1`"),
    ("conv 8 hardtanh=0..2", "`clip=0..2`"),
    ("conv out=8", "`conv 8`"),
    ("conv 8 bias", "bias=off"),
    ("conv 8 groups=4", "`g4`"),
    ("upsample to 99999999999x9", ""),
    ("GlobalMaxPooling2D; reshape 8x1x1", "`globalpool`"),
    ("norm", "`norm batch`"),
    ("conv 8 as a; conv 8 as b; from a b", "`concat b`"),
    ("conv 8 k4 relu conv 8 k4 relu", "`;` before `conv`"),
    ("conv 8 relu upsample 2 maxpool 2 conv 8", "`;` before `upsample`"),
    ("conv 8 relu globalpool; reshape 8x1x1", "`;` before `globalpool`"),
    ("conv conv 8", "delete one"),
    ("conv 8 filters", "delete `filters`"),
    ("scale 1,5", "`scale 1.5`"),
    ("conv 8 l2=1,5e-4", "`conv 8 l2=1.5e-4`"),
    ("layers: [32, 64]", "`conv 32 relu`, `conv 64 relu`"),
    ("layers: [conv 8, relu]", "`conv 8`, `relu`"),
    ("hidden_layers = [32, 64]", "`conv 32 relu`, `conv 64 relu`"),
    ("Conv2D(8, 3)", "`conv 8 k3 pad=valid`"),
    ("Conv2D(8, 1)", "`conv 8 k1`"),
    ("nn.Conv2d(8, 8, 3, 2)", "`conv 8 k3 s2 pad=valid`"),
    ("Conv2D(8, 3, strides=2, padding='same')", "`conv 8 k3 s2 pad=same_upper`"),
    ("nn.Conv2d(8, 8, 3, padding=1, padding_mode='reflect')", "`conv 8 k3 pad=reflect`"),
    ("nn.Conv2d(8, 8, 3, padding=1, padding_mode='circular')", "`conv 8 k3 pad=circular`"),
    ("nn.Conv2d(8, 8, 3, padding=1, padding_mode='symmetric')", "no `padding_mode=`"),
    ("nn.Conv2d(8, 8, 3, groups=4, dilation=2)", "`conv 8 k3 g4 d2 pad=valid`"),
    ("Conv2D(8, 3, kernel_initializer='he_normal', padding='same')", "`conv 8 k3 init=he pad=same`"),
    ("Conv2D(8, 1, activation=tf.nn.relu)", "`conv 8 k1 relu`"),
    ("Conv2D(8, 1, activation=layers.LeakyReLU(alpha=0.1))", "`conv 8 k1 leaky_relu=0.1`"),
    ("Conv2D(8, 1, activation='leaky_relu', name='a')", "`conv 8 k1 leaky_relu=0.2`"),
    ("conv(8, 3, norm=batch)", "`conv 8 k3 norm=batch`"),
    ("Conv2DTranspose(8, 3)", "`deconv 8 k3 pad=valid`"),
    ("Conv2DTranspose(8, 3, strides=2, padding='same')", "`deconv 8 k3 s2 pad=same_upper`"),
    ("nn.ConvTranspose2d(8, 8, 2, stride=2)", "`deconv 8 k2 s2`"),
    ("nn.ConvTranspose2d(8, 8, 3, 2, 1, 1)", "`deconv 8 k3 s2 pad=1 output_pad=1`"),
    ("MaxPooling2D()", "`maxpool 2`"),
    ("MaxPooling2D(3, strides=1, padding='same')", "`maxpool 3 s1 pad=1`"),
    ("MaxPooling2D(3, strides=2, padding='same')", "`maxpool 3 s2 ceil`, which"),
    ("nn.MaxPool2d(2, ceil_mode=True)", "`maxpool 2 ceil`"),
    ("UpSampling2D()", "`upsample 2`"),
    ("nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True)", "`upsample 2 bilinear align_corners`"),
    ("nn.Upsample(size=(14, 14))", "`upsample to 14x14`"),
    ("F.interpolate(x, scale_factor=2)", "`upsample 2`"),
    ("LeakyReLU()", "`leaky_relu 0.3`"),
    ("nn.LeakyReLU(negative_slope=0.2, inplace=True)", "`leaky_relu 0.2`"),
    ("nn.ELU(alpha=0.5)", "`elu 0.5`"),
    ("ReLU(max_value=6)", "`clip 0..6`"),
    ("nn.Hardtanh(0, 1)", "`clip 0..1`"),
    ("nn.GELU(approximate='tanh')", "no `approximate=`"),
    ("nn.Dropout()", "`dropout 50%`"),
    ("Reshape((2, 4, 64))", "`reshape 64x2x4`"),
    ("x.view(-1, 8, 8, 8)", "`reshape 8x8x8`"),
    ("ZeroPadding2D(((0, 1), (0, 1)))", "`pad 0..1`"),
    ("nn.ZeroPad2d((0, 1, 0, 1))", "`pad 0..1`"),
    ("Cropping2D(((1, 1), (2, 2)))", "`crop 1x2`"),
    ("model.add(Conv2D(8, 3, padding='same'))", "`conv 8 k3 pad=same`"),
    ("model.add(Flatten())", "remove this line"),
    ("model.summary()", "`caedsl show`"),
    ("model.fit(x, x, epochs=10, batch_size=32)", "`train { epochs 10; batch 32 }`"),
    ("model.compile(optimizer='adam', loss='mse')", "`train { optimizer adam; loss mse }`"),
    ("autoencoder.compile(Adam(1e-3), loss=MeanSquaredError())", "`train { optimizer adam lr=1e-3; loss mse }`"),
    ("conv 8 channels relu", "delete `channels`"),
    ("maxpool 2 px", "delete `px`"),
    ("dropout 10 %", "`dropout 10%`"),
    ("dropout 10 percent", "`10%`"),
    ("conv 8 dropout=10 %", "`conv 8 dropout=10%`"),
    ("conv 1 thousand", "`1k`"),
    ("conv 8 k3 5 relu", "`k3x5`"),
    ("conv 8 clip=[0, 1]", "`conv 8 clip=0..1`"),
    ("hardtanh -1..1", "`clip -1..1`"),
    ("conv 8 hardtanh 0..2", "`clip=0..2`"),
    ("conv 8 relu flatten", "remove `flatten`"),
    ("conv 8 relu pool", "`maxpool 2`"),
    ("conv\n 8 relu", "`conv 8 relu`"),
    ("conv # wide\n\n 8 relu", "`conv 8 relu`"),
    ("repeat\n 3 { conv 8 relu }", "`repeat 3 { … }`"),
    ("stage\n down { conv 8 relu }", "`stage down { … }`"),
    ("stage down\n one { conv 8 relu }", "`stage down_one { … }`"),
    ("stage down one { conv 8 relu }", "`stage down_one { … }`"),
    ("residual { conv 8 relu; conv 8 } dropout=0.1", "`dropout 0.1`"),
    ('conv "8" k3', "`8`"),
    ("conv 8 relu 2 times", "`x2`"),
    ("1. conv 8 relu", "`conv 8 relu`"),
    ("layer1: conv 8 relu", "`conv 8 relu`"),
    ("conv 8\n k3 relu", "line of their layer"),
    ("conv 8 k3 + relu", "`k3 relu`"),
    ("conv 8 'relu'", "`conv 8 relu`"),
    ("conv '8' k3", "`conv 8 k3`"),
    ("16 conv k3 relu", "`conv 16 k3 relu`"),
    ("conv 8 (k3, relu)", "`conv 8 k3 relu`"),
    ("conv 8 relu: ", "`conv 8 relu`"),
    ("conv 8 weight-decay=1e-4", "`conv 8 l2=1e-4`"),
    ("conv 8 dropout=10^-1", "`conv 8 dropout=1e-1`"),
    ("conv 2**3", "`conv 8`"),
    ("conv 16px", "`16`"),
    ("conv 8 l2 regularization 1e-4", "`l2=1e-4`"),
    ("conv 8 clip=0...5", "`0..5`, or `0..0.5`"),
    ("residual { conv 8 relu; conv 8 } norm=batch", "`norm batch`"),
    ("residual { conv 8 relu; conv 8 } l2=1e-3", "`conv 16 l2=1e-3`"),
    ("residual { conv 8 relu; conv 8 } k5 relu", "inside the braces"),
    ("repeat { conv 8 relu } 2", "`repeat 2 { … }`"),
    ("stage { conv 8 relu } down", "`stage down { … }`"),
]
HARMFUL = ["conv_transpose 8", "sepconv 8", "softmax", "res 8", "conv 8 softmax", "pool 2"]
"""Words that lie near another word of the language, which means something else."""
GLUED = [
    ("conv 8 convrelu", "conv 8 relu"),
    ("conv 8 relunorm=batch", "conv 8 relu norm=batch"),
    ("conv 8 relul2=1e-3", "conv 8 relu l2=1e-3"),
    ("conv 8 k3relus1", "conv 8 k3 relu s1"),
    ("conv 8 relux2", "conv 8 relu x2"),
    ("conv 8 relurelu", "conv 8 relu"),
    ("conv 8 norm=batchrelu", "conv 8 norm=batch relu"),
    ("conv 8 depthwiserelu", "conv 8 depthwise relu"),
    ("conv 8 k3 reluconv 8 k3", "conv 8 k3 relu; conv 8 k3"),
    ("convrelu 8", "conv 8 relu"),
    ("conv_relu 8 k3", "conv 8 k3 relu"),
    ("maxpool 2ceil; upsample 2", "maxpool 2 ceil; upsample 2"),
    ("upsample 2bilinear; maxpool 2", "upsample 2 bilinear; maxpool 2"),
    ("upsampleto 16x16; maxpool 2", "upsample to 16x16; maxpool 2"),
    ("residualrelu { conv 8 }", "residual relu { conv 8 }"),
    ("stagedown { conv 8 }", "stage down { conv 8 }"),
    ("dropout0.1", "dropout 0.1"),
    ("dropout10%", "dropout 10%"),
    ("conv 8 as fine; conv 8; concatfine", "conv 8 as fine; conv 8; concat fine"),
    ("residual { conv 8 } as fine; conv 8; concat fine", ""),
]
"""Words without the space between them, and the lines that they mean; empty if only a help says so."""
SETTINGS = [
    ("augment hflip", "flip"),
    ("augment", "augment flip"),
    ("stop", "stop patience=32"),
    ("schedule step", "schedule step at=50"),
    ("schedule warmup=5% cosine", "schedule cosine warmup=5%"),
    ("ema on", "ema 0.999"),
    ("optimizer adam learning_rate=1e-3", "lr=1e-3"),
    ("optimizer adam decay=1e-4", "schedule cosine"),
    ("optimizer adam beta_1=0.5", "beta1=0.5"),
    ("precision half", "fp16"),
    ("loss l2", "mse"),
    ("validation", "validation 10%"),
    ("on trouble", "trouble stop"),
    ("optimizer adam 1e-3", "lr=1e-3"),
    ("optimizer Adam lr=1e-3", "adam"),
    ("stop 5", "patience=5"),
    ("corrupt 0.2", "gaussian=0.2"),
    ("precision 16", "fp16"),
    ("precision amp", "auto"),
    ("loss mean_squared_error", "mse"),
    ("loss nn.MSELoss()", "`loss mse`"),
    ("loss cross_entropy", "bce"),
    ("loss rmse", "mse"),
    ("loss 0.5*mse", "`loss 0.5 mse`"),
    ("loss mse, mae", "`loss mse + mae`"),
    ("optimizer Adam(lr=1e-3)", "lr=1e-3"),
    ("optimizer adam wd=1e-4", "weight_decay=1e-4"),
    ("optimizer adam betas=(0.9, 0.999)", "beta1=0.9"),
    ("lr 1e-4", "optimizer adam lr=1e-4"),
    ("lr=1e-4", "`optimizer adam lr=1e-4`"),
    ("momentum 0.8", "optimizer sgd momentum=0.8"),
    ("weight_decay 1e-4", "weight_decay=1e-4"),
    ("early_stopping 7", "patience=7"),
    ("noise 0.3", "gaussian=0.3"),
    ("grad_clip 0.5", "clip 0.5"),
    ("accumulate 2", "accumulate=2"),
    ("device cuda", "--device cuda"),
    ("num_workers 4", "remove this line"),
    ("amp on", "precision"),
    ("epochs 10 20", "delete `20`"),
    ("schedule step 50", "`at=50`"),
    ("schedule step every=10", "milestones 30 60"),
    ("schedule cosine warmup 500", "warmup=10%"),
    ("schedule none", "constant"),
    ("stop after=30", "`30min`"),
    ("stop after=30m", "`30min`"),
    ("stop after=1d", "`24h`"),
    ("stop after 1h30min", "after=30min"),
    ("validation 10", "`10%`"),
    ("validation off", "remove the line"),
    ("ema off", "remove the line"),
    ("augment rotation=10", "rotate=10"),
    ("augment flip=0.5", "`flip` alone"),
    ("corrupt noise=0.2", "gaussian=0.2"),
    ("on error stop", "trouble"),
    ("loss vae", "variational"),
    ("loss BCELoss()", "`loss bce`"),
    ("optimizer AdamW(lr=1e-3, weight_decay=0.01)", "`optimizer adamw lr=1e-3 weight_decay=0.01`"),
    ("optimizer torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)", "`optimizer sgd lr=0.1 momentum=0.9`"),
    ("optimizer Adam(1e-3, betas=(0.5, 0.9))", "`optimizer adam lr=1e-3 beta1=0.5 beta2=0.9`"),
    ("optimizer adam(1e-3)", "`lr=1e-3`"),
    ("optimizer adam betas=0.9,0.999", "`beta1=0.9` and `beta2=0.999`"),
    ("optimizer adam clipnorm=1", "clip 1.0"),
    ("schedule exponential 0.95", "gamma=0.95"),
    ("schedule cosine 5%", "warmup=5%"),
    ("schedule plateau 5", "patience=5"),
    ("schedule cosine eta_min=1e-6", "min_lr=1e-6"),
    ("schedule linear", "polynomial"),
    ("schedule milestones [30, 60]", "`schedule milestones 30 60`"),
    ("clip norm=1", "`clip 1`"),
    ("ema decay=0.99", "`ema 0.99`"),
    ("validation split=0.2", "`validation 0.2`"),
    ("stop 30min", "after=30min"),
    ("stop none", "remove the line"),
    ("augment off", "remove the line"),
    ("corrupt gaussian=10%", "0.1"),
    ("corrupt masking=100%", "10%"),
    ("corrupt hole=1", "`1%`"),
    ("corrupt gaussian=0.5..0.1", "`0.1..0.5`"),
    ("corrupt 0.1..0.5", "gaussian=0.1..0.5"),
    ("corrupt gaussian=0.1 clip=no", "awgn=0.1"),
    ("corrupt poisson=0.1", "in pairs"),
    ("corrupt gaussian=0.2..0.2", "`0.2`"),
    ("corrupt masking=10%..150%", "10%"),
    ("augment translate=2", "shift=2"),
    ("seed random", "`seed 0`"),
    ("batch size 32", "`batch 32`"),
    ("optimizer adam lr=0,001", "`optimizer adam lr=0.001`"),
    ("validation 12,5%", "`validation 12.5%`"),
    ("loss mse + 0,2 ssim", "`loss mse + 0.2 ssim`"),
    ("early stopping 5", "`stop patience=5`"),
    ("warmup 5%", "warmup=5%"),
    ("steps 1000", "epochs 20"),
    ("l2 1e-4", "conv 64 l2=1e-4"),
    ("optimizer=adam lr=1e-4", "`optimizer adam lr=1e-4`"),
    ("lr: 1e-4", "`optimizer adam lr=1e-4`"),
    ("schedule step_lr", "`step`"),
    ("schedule cosine 10", "warmup="),
    ("augment flip 0.5", "delete `0.5`"),
    ("warm_up 5%", "`schedule constant warmup=5%`"),
    ("kl_weight 0.1", "beta=1"),
    ("loss mse mae", "`loss mse + mae`"),
    ("loss mse + ssim 0.2", "`loss mse + 0.2 ssim`"),
    ("loss mse sum", "`loss mse reduction=sum`"),
    ("loss ssim=0.2", "`loss 0.2 ssim`"),
    ("loss huber 0.5", "`loss huber delta=0.5`"),
    ("optimizer adam l2=1e-4", "`weight_decay=1e-4`"),
    ("optimizer lr=1e-3", "`optimizer adam lr=1e-3`"),
    ("optimizer adam lr", "lr=1e-3"),
    ("optimiser lr=1", "`optimizer`"),
    ("batch 8 epochs 50", "`;` before `epochs`"),
    ("optimizer adam lr=1e-3 schedule cosine clip 1", "`;` before `schedule`"),
    ("loss mse batch 8 epochs 3", "`;` before `batch`"),
    ("batch batch 8", "delete one"),
    ("optimizer optimizer adam", "delete one"),
    ("clip 1,0", "`clip 1.0`"),
    ("optimizer adam lr=1,5e-3", "`optimizer adam lr=1.5e-3`"),
    ("corrupt gaussian=1,5", "`corrupt gaussian=1.5`"),
    ("loss 1,5 mse + ssim", "`loss 1.5 mse + ssim`"),
    ("loss huber delta=1,5", "`loss huber delta=1.5`"),
    ("loss mse(reduction='sum')", "`loss mse reduction=sum`"),
    ("loss nn.MSELoss(reduction='sum')", "`loss mse reduction=sum`"),
    ("loss huber(delta=0.5)", "`loss huber delta=0.5`"),
    ("schedule cosine(warmup=5%)", "`schedule cosine warmup=5%`"),
    ("schedule CosineAnnealingLR(optimizer, eta_min=1e-6)", "`schedule cosine min_lr=1e-6`"),
    ("schedule MultiStepLR(optimizer, milestones=[30, 80], gamma=0.2)", "`schedule milestones 30 80 factor=0.2`"),
    ("schedule StepLR(optimizer, step_size=10)", "`schedule milestones 10 20`"),
    ("corrupt gaussian(std=0.2)", "`corrupt gaussian=0.2`"),
    ("augment rotate(degrees=10)", "`augment rotate=10`"),
    ("model.fit(x, epochs=10)", "`train { epochs 10 }`"),
    ("criterion = nn.MSELoss()", "`loss mse`"),
    ("loss_fn = nn.L1Loss()", "`loss mae`"),
    ("stop after=2 hours", "`2h`"),
    ("stop after=2 h", "`2h`"),
    ("stop after=30 Minutes", "`30min`"),
    ("stop after=2 m", "`2min`"),
    ("stop after 30 min", "`after=30min`"),
    ("stop after 1 day", "`after=24h`"),
    ("stop 2 hours", "`after=2h`"),
    ("stop after=1e99999d", ""),
    ("stop patience=5 epochs", "delete `epochs`"),
    ("stop patience 5 epochs", "`patience=5`"),
    ("epochs 10 epochs", "delete `epochs`"),
    ("epochs 1 k", "`1k`"),
    ("batch 8 images", "delete `images`"),
    ("validation 10 %", "`validation 10%`"),
    ("schedule cosine warmup=5 percent", "`5%`"),
    ("augment shift=2 px", "delete `px`"),
    ("augment rotate=10 degrees", "delete `degrees`"),
    ("optimiser", "`optimizer`"),
    ("scheduel warmup=5%", "`schedule`"),
    ("augmnet", "`augment`"),
    ("loss mse reducton=sum", "`reduction`"),
    ("loss huber detla=1", "`delta`"),
    ("epochs\n 3", "`epochs 3`"),
    ("epochs20", "`epochs 20`"),
    ("optimizeradam lr=1e-3", "`optimizer adam`"),
    ("lossmse", "`loss mse`"),
    ("corrupt gaussian=[0.1, 0.5]", "`corrupt gaussian=0.1..0.5`"),
    ("corrupt gaussian=(0.1, 0.5)", "`corrupt gaussian=0.1..0.5`"),
    ("corrupt [0.1, 0.5]", "`corrupt gaussian=0.1..0.5`"),
    ("corrupt gaussian=0.1 0.5", "`gaussian=0.1..0.5`"),
    ("optimizer adam betas=[0.9, 0.999]", "`beta1=0.9` and `beta2=0.999`"),
    ("loss mse +\n 0.2 ssim", "`loss mse + 0.2 ssim`"),
    ("loss mse\n + 0.2 ssim", "`loss mse + 0.2 ssim`"),
    ("optimizer adam lr=\n 1e-3", "`optimizer adam lr=1e-3`"),
    ("optimizer adam lr=\n batch 8", "after the `=`"),
    ("batch = 8", "`batch 8`"),
    ('batch "64"', "`64`"),
    ("epochs <= 40", "delete `<=`"),
    ("stop when 5 epochs", "patience="),
    ("early_stopping: true", "`stop patience=10`"),
    ("batch 8, epochs 3", "`;`"),
    ('optimizer adam lr="1e-3"', "`1e-3`"),
    ("optimizer adam lr='1e-3'", "`optimizer adam lr=1e-3`"),
    ("optimizer: adam, lr: 1e-3", "`optimizer adam lr=1e-3`"),
    ("optimizer adam lr=10^-3", "`optimizer adam lr=1e-3`"),
    ("optimizer adam lr=3 * 10^-4", "`optimizer adam lr=3e-4`"),
    ("optimizer adam learning-rate=1e-3", "`optimizer adam lr=1e-3`"),
    ("schedule cosine warm-up=5%", "`schedule cosine warmup=5%`"),
    ("schedule cosine warmup=5 epochs", "the epochs of the warm-up divided by all epochs"),
    ("epochs 20; schedule cosine warmup=5 epochs", "5 of 20 epochs are `25%`"),
    ("schedule cosine warmup=500 steps; epochs 20", "a share of all steps"),
    ("schedule plateau patience=5 minutes", "`patience=5`"),
    ("epochs 2 hours", "`stop after=2h`"),
    ("epochs 2.5", "`2` or `3`"),
    ("batch 0", "write 1 or more"),
    ("batch -4", "`4`"),
    ("clip -1", "`1`"),
    ("batch-size 64", "`batch 64`"),
    ("early stopping patience=5", "`stop patience=5`"),
    ("stop patience=5 minutes", "`after=5min`"),
    ("corrupt gaussian=0.1 to 0.5", "`0.1..0.5`"),
    ("loss = 'mse'", "`loss mse`"),
    ("loss 80% mse + 0.2 ssim", "`0.8`"),
]
STATEMENTS = [
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
OTHER_STATEMENTS = [
    ("data", "data mnist else = digits", "`else digits`"),
    ("data", 'data mnist "else" digits', "`else`"),
    ("decoder", "ecoder mirror", "`decoder`"),
    ("encoder", "let width = -8\nencoder { conv width s2; conv width; conv width }", ""),
    ("encoder", "defaults conv k5 leaky_relu 0.01 init=glorot\nencoder { conv 8 s2 }", "`leaky_relu=0.01`"),
    ("data", "data\n  mnist else digits", "`data mnist else digits`"),
    ("data", "data mnist else\n  digits limit=5", "`data mnist else digits limit=5`"),
    ("autoencoder", "autoencoder\n  volumes", "`autoencoder volumes`"),
    ("train", "train {\n  optimizer\n    adamw lr=3e-4\n  batch 8\n}", "`optimizer adamw lr=3e-4`"),
    ("train", "train {\n  loss # of the images\n    mse\n}", "`loss mse`"),
    ("train", "train {\n  schedule\n  batch 8\n}", "`schedule constant`"),
    ("data", "data data mnist", "delete one"),
    ("decoder", "decoder decoder mirror", "delete one"),
    ("encoder", "let width =\nencoder { conv width s2 }", "after the `=`"),
    ("encoder", "block (half) width { conv width s2 }\nencoder { half 8; half 4 }", "`block down width"),
    ("encoder", "'block' half width { conv width s2 relu }\nencoder { half 8; half 4 }", '`"`'),
    ("encoder", "block half: width { conv width s2 relu }\nencoder { half 8; half 4 }", "`block half width {`"),
    ("train", "require { parameters < 1M }\ntrain batch 8\n}", "`train {`"),
    ("encoder", "encoder conv 8 s2\n  residual relu { conv 8 relu; conv 8 }\n}", "`encoder {`"),
    ("bottleneck", "quantized 64x8", "`bottleneck quantized 64x8`"),
    ("bottleneck", "dense 8", "`bottleneck dense 8`"),
    ("autoencoder", "digits", "`autoencoder digits`"),
    ("autoencoder", "autoencodera", "`autoencoder`"),
    ("input", "input1x16x16", "`input 1x16x16`"),
    ("data", "data mnist = else digits", "`mnist else`"),
    ("data", "data mnist: else digits", "`mnist else`"),
    ("data", "defaults conv l2=1e-6 defaults dense l2=1e-6", "`;` before `defaults`"),
    ("train", '"train" { loss mse; batch 8 }', "start with the word"),
    ("train", "(train) { loss mse; batch 8 }", "start with the word"),
    ("train", "{ loss mse; batch 8 }", "`encoder {`"),
    ("train", "\n{\n  loss mse\n  batch 8\n}", "`encoder {`"),
    ("encoder", "encoder conv 8 s2 relu; conv 4 relu }", "`encoder {`"),
    ("encoder", "encoder stage a { conv 8 s2 relu }; conv 4 }", "`encoder {`"),
    ("encoder", "encoder { stage a conv 8 s2 relu }; conv 4 }", "`stage a {`"),
    ("encoder", "encoder { repeat 2 conv 8 relu }; conv 8 s2 }", "`repeat 2 {`"),
    ("train", "train batch 8; epochs 2 }", "`train {`"),
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
    ("encoder", "encoder = [\n conv 8 s2 relu\n]", "`encoder {`"),
    ("encoder", "encoder = nn.Sequential(\n conv 8 s2 relu\n)", "`encoder {`"),
    ("encoder", "encoder: [conv 8 s2, relu]", "`encoder {`"),
    ("train", "train: true", "`train { epochs 20 }`"),
    ("train", "train { loss: binary_crossentropy }", "`loss bce`"),
    ("train", "train { optimizer = Adam(1e-3) }", "`optimizer adam lr=1e-3`"),
    ("encoder", "encoder { conv 8 s2 relu; {conv: 8} }", "`conv 8`"),
    ("encoder", "encoder {\n conv 8 s2 relu\n {conv: 8}\n}", "`conv 8`"),
    ("encoder", "encoder { conv 8 s2 relu; {conv: 8, kernel: 3} }", "`conv 8 k3`"),
    ("encoder", "encoder {\n conv {filters: 8, kernel_size: 3}\n maxpool 2\n}", "`conv 8 k3`"),
    ("encoder", "encoder { conv: {filters: 8}; maxpool 2 }", "`conv 8`"),
    ("encoder", "encoder { conv 8 {kernel: 3, activation: relu}; maxpool 2 }", "`conv 8 k3 relu`"),
    ("encoder", "encoder { conv 8 s2; residual { conv 8 } x2 }", "`repeat 2 { ... }`"),
    ("encoder", "encoder { conv 8 {}; maxpool 2 }", "remove the braces"),
    ("input", "input {shape: 1x16x16}", "remove the braces"),
    ("train", "train { optimizer {lr: 1e-3}; batch 8 }", "remove the braces"),
    ("train", "train { batch 8; bacth 16 }", "`batch`"),
    ("decoder", "decoder { mirror }", "`decoder mirror`"),
    ("decoder", "decoder { nn.Upsample(16); conv 1 sigmoid }", "`upsample to 16x16`"),
    ("decoder", "mirror decoder", "`decoder mirror`"),
    ("autoencoder", 'extends "base.cae"', '`autoencoder NAME extends "base.cae"`'),
    ("bottleneck", "bottleneck beta=4 variational 8", "`bottleneck variational 8 beta=4`"),
    ("bottleneck", "bottleneck conv 8x7x7", "`bottleneck conv 8`"),
    ("encoder", "encoder { conv 8 s2 relu; globalpool 1; reshape 8x1x1 }", "delete `1`"),
    ("data", "data = mnist", "`data mnist`"),
    ("train", "train: batch 8", "`train { batch 8 }`"),
    ("bottleneck", "latent 8", "`bottleneck dense 8`"),
    ("bottleneck", "latent dense 8", "`bottleneck dense 8`"),
    ("bottleneck", "code_size 8", "`bottleneck dense 8`"),
    ("input", "shape 1x16x16", "`input 1x16x16`"),
    ("encoder", "encoder = { conv 8 k4 s2 relu }", "`encoder {`"),
    ("encoder", "encoder [ conv 8 k4 s2 relu ]", "`{` and `}`"),
    ("encoder", "encoder2 { conv 8 k4 s2 relu }", "`encoder`"),
    ("autoencoder", "autoencoder my net", "`autoencoder my_net`"),
    ("decoder", "decoder mirror with skips", "`decoder mirror skips=concat`"),
    ("autoencoder", '"""my net"""\nautoencoder a', "`# my net`"),
    ("decoder", "decoder = mirror(encoder)", "`decoder mirror`"),
    ("encoder", "encoder {\n  conv 8 s2 relu -- wide\n}", "`conv 8 s2 relu # wide`"),
    ("encoder", "-- the encoder\nencoder { conv 8 s2 relu }", "`# the encoder`"),
    ("train", "train:\n{\n  batch 8\n}", "by `{`"),
    ("train", "train with { batch 8 }", "delete `with`"),
    ("train", "train { batch 8 } epochs 3", "`epochs 3` inside the braces"),
    ("train", "train { batch 8 } lr=1e-3", "`optimizer adam lr=1e-3` inside the braces"),
    ("encoder", "encoder { conv 8 s2 relu } norm=batch", "`conv 16 norm=batch`"),
    ("decoder", "decoder { upsample 2; conv 1 } sigmoid", "`sigmoid` inside the braces"),
    ("decoder", "decoder { upsample 2; conv 1 } output=sigmoid", "`sigmoid` on the last line"),
    ("bottleneck", "bottleneck { conv 2 } beta=2", "inside the braces"),
]
CONSTANTS = [
    ("letwidth = 8", "`let width = 8`"),
    ("let_width = 8", "`let width = 8`"),
    ("let\n  width = 8", "`let width = 8`"),
    ("let # of the encoder\n  width = 8", "on one line"),
    ("let width\n  = 8", "`let width = 8`"),
    ("let width =\n  8", "`let width = 8`"),
    ("let width =\n  4 +\n  4", "`let width = 4 + 4`"),
    ("width = 8", "`let width = 8`"),
    ("width: 8", "`let width = 8`"),
    ("width 8", "`let width = 8`"),
    ("const width = 8", "`let width = 8`"),
    ("let width := 8", "`let width = 8`"),
    ("let width be 8", "`let width = 8`"),
    ("let width = 8 channels", "`let width = 8`"),
    ("let { width = 8 }", "without braces"),
    ("let {\n  width = 8\n}", "without braces"),
    ("let width = 8, depth = 2", "`let width = 8; let depth = 2`"),
    ("let width = 8 depth = 2", "`let width = 8; let depth = 2`"),
]
"""Definitions of the constant of an encoder."""
BLOCKS = [
    "blocks half width { conv width s2 relu }",
    "blocks\nhalf width { conv width s2 relu }",
    "blocks { half width { conv width s2 relu } }",
    "block {\n  half width { conv width s2 relu }\n}",
    "half width { conv width s2 relu }",
    "def half width { conv width s2 relu }",
]
"""Definitions of the block of an encoder."""
INTERNAL = re.compile(r"channel_groups|\btimes\b|Type\.|Written\.|None|g0\b(?!`)")


def whole(**parts: str) -> str:
    return "\n".join((PARTS | parts).values()) + "\n"


@cache
def errors(text: str) -> tuple[Finding, ...]:
    """Return the errors with verified fixes."""
    return tuple(finding for finding in check(text) if finding.severity is Severity.ERROR)


def faults_of_language(text: str) -> list[str]:
    """Return the messages of the errors that the compiler itself finds; their fixes need no verification."""
    found = examine(Source(text)).findings
    return [each.message for each in found if each.severity is Severity.ERROR and each.code.startswith("CAE1")]


def in_encoder(line: str) -> str:
    return whole(encoder=f"encoder {{ conv 8 s2 relu; {line} }}")


BESIDE_THE_RIGHT_WORD = [
    (in_encoder("conv 8 kernel_size=3 k5 relu; conv 8 relu"), "`k3`"),
    (in_encoder("conv 8 rleu relu; conv 8 relu"), "`relu`"),
    (in_encoder("conv 8 nrom=batch norm=batch relu; conv 8 relu"), "`norm=batch`"),
    (whole(train="train { batch 8; bacth 3 }"), "`batch`"),
    (whole(train="train { bacth 3; batch 8 }"), "`batch`"),
    (whole(train="train { optimiser sgd lr=1; optimizer adam }"), "`optimizer`"),
    (whole(train="train { loss huber detla=1 delta=2 }"), "`delta`"),
    (whole(train="train { optimizer adam learning_rate=1e-4 lr=1e-3 }"), "`lr=1e-4`"),
    (whole(bottleneck="bottleneck variational 8 bata=2 beta=3"), "`beta=2`"),
]
"""A misspelt word beside the one that it means; what remains after its correction is another mistake."""

OUTPUT_OF_ARROW = whole(
    encoder="encoder { conv 8 s2 relu -> fine; conv 8 }",
    decoder="decoder { conv 8; concat fine; upsample 2; conv 1 sigmoid }",
)
CORPUS = [
    (OUTPUT_OF_ARROW, "`conv 8 s2 relu as fine`"),
    *BESIDE_THE_RIGHT_WORD,
    *((in_encoder(line), shown) for line, shown in LAYERS),
    *((whole(train=f"train {{ {line} }}"), shown) for line, shown in SETTINGS),
    *((whole(**{line.split()[0]: line}), shown) for line, shown in STATEMENTS),
]


@pytest.mark.parametrize(("text", "shown"), CORPUS)
def test_one_mistake_gives_one_finding_with_the_authors_value(text: str, shown: str) -> None:
    found = errors(text)
    assert len(found) == 1, [finding.message for finding in found]
    assert shown in found[0].help
    assert not INTERNAL.search(found[0].message + found[0].help)


@pytest.mark.parametrize("line", HARMFUL)
def test_no_fix_writes_another_layer_than_the_author_meant(line: str) -> None:
    (finding,) = errors(in_encoder(line))
    assert finding.fix is None or finding.fix.edits[0].text == "deconv"


@pytest.mark.parametrize(("line", "meant"), GLUED)
def test_words_without_a_space_are_one_finding_whose_fix_keeps_all_of_them(line: str, meant: str) -> None:
    text = in_encoder(line).replace("decoder mirror", "decoder { upsample 2; conv 1 sigmoid }")
    (finding,) = errors(text)
    assert bool(finding.fix) == bool(meant)
    if finding.fix is not None:
        fixed = apply_edits(text, finding.fix.edits)
        assert fixed == text.replace(line, meant) and not errors(fixed)


OTHERS = ["data emnist", "bottleneck ae 8"]
"""Words that lie near a word of the language, but mean something else."""


@pytest.mark.parametrize("line", OTHERS)
def test_no_fix_writes_a_word_that_only_looks_alike(line: str) -> None:
    (finding,) = errors(whole(**{line.split()[0]: line}))
    assert finding.fix is None


def test_a_loss_that_only_looks_alike_has_no_fix() -> None:
    (finding,) = errors(whole(train="train { loss vae }"))
    assert finding.fix is None


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("let w", "let w = 32"),
        ("let w 5", "let w = 5"),
        ("require { parameters 4-64 }", "parameters 4..64"),
        ("let size = 3x3", "where it is used"),
        ("block", "block NAME {"),
        ('allow\n overcomplete "why"', 'allow overcomplete "why"'),
        ("require parameters 1..2 M", "require { parameters 1M..2M }"),
        ("require { parameters 1..2 million }", "parameters 1M..2M"),
        ("require { parameters 1k..2 M }", "parameters 1k..2M"),
        ("require { parameters 1..2 hours }", "parameters 4..64"),
        ("require parameters < 10k", "require { parameters < 10k }"),
        ("require { parameters => 10k }", "parameters >= 10k"),
        ("require { parameters < 2 million }", "`2M`"),
        ("require { memory < 2 GB }", "`2G`"),
        ("require { parameters 2 M }", "`parameters < 2M`"),
        ("sweep { train.batch [32, 64] }", "`train.batch 32 64`"),
        ("mirror", "decoder mirror"),
        ("let s2 = 5", "my_s2"),
        ("sweep { train.batch: [32, 64] }", "`train.batch 32 64`"),
        ("sweep:\n  train.batch 32 64\n}", "by `{`"),
        ("require { parameters: 2M }", "`parameters < 2M`"),
        ("block down width k 4 {\n  conv width k=k\n}", "`k=4`"),
        ("block down width=None k=4 {\n  conv width k=k\n}", "`width` alone"),
        ("block down<width> {\n  conv width\n}", "`width`"),
        ("block down-sample width {\n  conv width\n}", "`block down_sample { ... }`"),
        ('import "base.cae"', '`autoencoder NAME extends "base.cae"`'),
        ("let range = 0..1", "where it is used"),
        ("encoder2 { conv 8 }", "has its `encoder` already"),
        ("Decoder { conv 8 }", "has its `decoder` already"),
        ("epochs 10", "`train { epochs 10 }`"),
        ("lr 1e-4", "`train { optimizer adam lr=1e-4 }`"),
        ("sweep { bottleneck 8 16 }", "`bottleneck.units 8 16`"),
        ("sweep { bottleneck.dense 8 16 }", "`bottleneck.units 8 16`"),
        ("sweep { train.lr 1e-3 1e-4 }", "`train.optimizer.lr`"),
        ("sweep { train.learning_rate 1e-3 1e-4 }", "`train.optimizer.lr`"),
        ("sweep { width 8 16 }", "`let width = 8`"),
        ("sweep { encoder.width 8 16 }", "`let.width`"),
        ("sweep { train.optimizer.lr [1e-3 1e-4] }", "`train.optimizer.lr 1e-3 1e-4`"),
    ],
)
def test_a_statement_beside_the_others_gives_one_finding(line: str, shown: str) -> None:
    text = whole(data=f"data digits\n{line}")
    for name, used in {"s2": ("conv 8", "conv s2"), "range": ("1x16x16", "1x16x16 in range")}.items():
        text = text.replace(*used) if line.startswith(f"let {name} ") else text
    found = errors(text)
    assert len(found) == 1, [finding.message for finding in found]
    assert shown in found[0].help


def quoted(help_line: str) -> list[str]:
    return [
        text for text in re.findall(r"`([^`]*)`", help_line) if " " in text and "..." not in text and "…" not in text
    ]


@pytest.mark.parametrize("text", [text for text, _ in CORPUS])
def test_spec_text_in_a_help_resolves(text: str) -> None:
    for line in quoted(errors(text)[0].help):
        word = line.split()[0]
        if word in SETTING_WORDS and PARTS["train"] not in text:
            spec = whole(train=f"train {{ {line} }}")
        elif word in KINDS and not isinstance(KINDS[word], Join):
            spec = in_encoder(line.replace("pixelshuffle 2", "pixelshuffle 1"))
        elif word in PARTS:
            spec = whole(**{word: line})
        elif word == "let":
            spec = whole(input=f"{line}\n{PARTS['input']}", encoder=f"encoder {{ conv {line.split()[1]} s2 relu }}")
        elif word in KINDS:
            spec = in_encoder(f"conv 8 as {line.split()[1]}; {line}")
        elif re.match(r"\d|[ks]\d", word):
            spec = in_encoder(f"conv {'' if word[0].isdigit() else '8 '}{line}")
        elif word in ("in", "trouble", "as", "caedsl"):
            continue  # a part of a line, or a command
        else:
            spec = whole(train=f"train {{ {line} }}")
        assert not faults_of_language(spec), line


@pytest.mark.parametrize("text", [text for text, _ in CORPUS])
def test_a_fix_leaves_no_fault_of_the_language(text: str) -> None:
    for finding in errors(text):
        if finding.fix:
            assert not faults_of_language(apply_edits(text, finding.fix.edits))


SPECS = [path.read_text("utf-8") for path in sorted((ROOT / "specs").glob("*.cae"))]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_misspelt_word_gives_one_error(data: st.DataObject) -> None:
    """Swapping two letters in one word of a shipped spec gives at most one error, wherever the word is."""
    text = data.draw(st.sampled_from(SPECS))
    words = [
        match
        for match in re.finditer(r"[A-Za-z_]{4,}", re.sub(r'#.*|"[^"]*"', lambda m: " " * len(m[0]), text))
        if match[0][1] != match[0][2]
    ]
    word = data.draw(st.sampled_from(words))
    swapped = word[0][0] + word[0][2] + word[0][1] + word[0][3:]
    found = errors(text[: word.start()] + swapped + text[word.end() :])
    assert len(found) <= 1, [finding.message for finding in found]


DAMAGES = {"colon": "{}:", "comma": "{},", "brackets": "[{}]", "upper case": None}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_word_with_a_mark_of_another_language_gives_one_error(data: st.DataObject) -> None:
    """A colon, a comma, brackets or capitals at one word of a shipped spec give at most one error."""
    text = data.draw(st.sampled_from(SPECS))
    words = list(re.finditer(r"[A-Za-z_]{3,}", re.sub(r'#.*|"[^"]*"', lambda m: " " * len(m[0]), text)))
    word, mark = data.draw(st.sampled_from(words)), data.draw(st.sampled_from(sorted(DAMAGES)))
    damaged = (DAMAGES[mark] or word[0].upper()).format(word[0])
    found = faults_of_language(text[: word.start()] + damaged + text[word.end() :])
    assert len(found) <= 1, found


@pytest.mark.parametrize("written", ["(width, s=2)", " (width, s=2)", "(width s=2)", "(width,s = 2)"])
def test_parameters_in_parentheses_are_reported_once_and_their_uses_are_read(written: str) -> None:
    text = f"block down{written} {{ conv width k4 s=s relu }}\nencoder {{ down 8; down 4 s=1 }}"
    (finding,) = errors(f"autoencoder a\ninput 1x8x8\n{text}\nbottleneck\ndecoder mirror")
    assert finding.help.replace(" = ", "=") == "write `block down width s=2 {`"


def test_a_second_value_of_a_block_gets_the_name_of_its_parameter() -> None:
    text = "block down width factor { conv width k4 s=factor relu }\nencoder { down 8 2 }"
    (finding,) = errors(f"autoencoder a\ninput 1x8x8\n{text}\nbottleneck\ndecoder mirror")
    assert finding.help == "write `factor=2`"


def test_a_parenthesised_parameter_is_reported_once_and_its_uses_are_read() -> None:
    block = "block down(width) { conv width k4 s2 relu }"
    text = whole(data=f"data digits\n{block}", encoder="encoder { down(8); down(4) }")
    (finding,) = errors(text)
    assert "`block down width { ... }`" in finding.help
    assert not errors(text.replace("down(width)", "down width"))


def test_a_block_whose_name_is_misspelt_is_one_error() -> None:
    text = whole(data="data digits\nblock hlaf width { conv width s2 relu }", encoder="encoder { half 8; half 4 }")
    (found,) = errors(text)
    assert found.help == "did you mean `hlaf`?"


@pytest.mark.parametrize(
    ("block", "written"),
    [("blockhalf width {", "block half"), ("block\n half width {", "block half width { … }")],
)
def test_a_block_whose_name_is_glued_or_on_the_next_line_is_one_error(block: str, written: str) -> None:
    text = whole(data=f"data digits\n{block} conv width s2 relu }}", encoder="encoder { half 8; half 4 }")
    (found,) = errors(text)
    assert found.help == f"write `{written}`"
    assert found.fix is not None
    assert not errors(apply_edits(text, found.fix.edits))


@pytest.mark.parametrize(
    ("statement", "line", "meant"),
    [
        ("data", "datadigits", "data digits"),
        ("bottleneck", "bottleneckconv 2", "bottleneck conv 2"),
        ("decoder", "decodermirror", "decoder mirror"),
    ],
)
def test_a_statement_that_its_value_follows_without_a_space_is_one_error(statement: str, line: str, meant: str) -> None:
    text = whole(**{statement: line})
    (found,) = errors(text)
    assert found.fix is not None
    assert apply_edits(text, found.fix.edits) == whole(**{statement: meant})


@pytest.mark.parametrize(("statement", "line", "shown"), OTHER_STATEMENTS)
def test_a_statement_in_other_words_is_one_finding(statement: str, line: str, shown: str) -> None:
    (finding,) = errors(whole(**{statement: line}))
    assert shown in finding.help


@pytest.mark.parametrize(("line", "shown"), CONSTANTS)
def test_a_constant_that_is_not_defined_as_it_should_be_is_one_finding(line: str, shown: str) -> None:
    text = whole(data=f"data digits\n{line}", encoder="encoder { conv width s2 relu; repeat 1 { conv 8 } }")
    (finding,) = errors(text.replace("repeat 1", "repeat depth") if "depth" in line else text)
    assert shown in finding.help
    if finding.fix is not None:
        assert not errors(apply_edits(text, finding.fix.edits))


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_that_is_not_defined_as_it_should_be_is_one_finding(block: str) -> None:
    (finding,) = errors(whole(data=f"data digits\n{block}", encoder="encoder { half 8; half 4 }"))
    assert "`block half width { ... }`" in finding.help or finding.help == "did you mean `block`?"


def test_a_setting_named_like_a_used_word_is_no_constant() -> None:
    text = whole(encoder="encoder { conv 8 s2 relu norm=batch }", train="train { batch = 8 }")
    (finding,) = errors(text)
    assert finding.help == "write `batch 8`"


def test_a_second_model_in_a_file_is_one_finding() -> None:
    (finding,) = errors(whole() + whole(autoencoder="autoencoder b"))
    assert finding.help == "move it to a file of its own"


WITHOUT_BRACES = [
    ("encoder", "encoder\n  conv 8 s2 relu", "`encoder {`"),
    ("encoder", "encoder # the encoder\n  conv 8 s2 relu # a\n\n  conv 4 relu # b", "`encoder {`"),
    ("encoder", "encoder\n  conv 8 s2 relu\n  conv 4 relu\n}", "`encoder {`"),
    ("encoder", "encoder:\n  conv 8 s2 relu\n  conv 4 relu", "replace the colon by `{`"),
    ("encoder", "encoder {\n  residual\n  conv 1 relu\n  conv 1\n  }\n  conv 8 s2\n}", "`residual {`"),
    ("encoder", "encoder {\n  repeat 2\n  conv 1 relu\n  }\n  conv 8 s2\n}", "`repeat 2 {`"),
    ("encoder", "encoder {\n  conv 8 s2\n  residual\n  conv 8 relu\n}", "`residual {"),
    ("bottleneck", "bottleneck\n  dense 8\n  relu", "`bottleneck {`"),
    ("decoder", "decoder\n  upsample 2\n  conv 1 sigmoid", "`decoder {`"),
    ("decoder", "decoder\n  upsample 2\n  conv 1 sigmoid\n}", "`decoder {`"),
    ("train", "train\n  batch 8\n  epochs 3", "`train {`"),
    ("train", "require\n  parameters < 1M", "`require {`"),
    ("train", "sweep\n  train.batch 8 16", "`sweep {`"),
    ("train", "sweep\n  train.batch 8 16\n}", "`sweep {`"),
    ("encoder", "block down width\n  conv width s2\nencoder { down 8 }", "`block down width {`"),
    ("encoder", "block down width\n  conv width s2\n}\nencoder { down 8 }", "`block down width {`"),
]


@pytest.mark.parametrize(("statement", "lines", "shown"), WITHOUT_BRACES)
def test_a_block_without_braces_is_one_finding_and_its_lines_are_read(statement: str, lines: str, shown: str) -> None:
    (finding,) = errors(whole(**{statement: lines}))
    assert shown in finding.help
    if finding.fix is not None:
        assert not errors(apply_edits(whole(**{statement: lines}), finding.fix.edits))


@pytest.mark.parametrize("lines", ["encodr\n  conv 8 s2 relu\n  conv 4", "encoder\n  conv 8 s2 relu\n  cnov 4"])
def test_a_second_mistake_in_a_block_without_braces_is_a_second_finding(lines: str) -> None:
    assert len(errors(whole(encoder=lines))) == 2


def test_a_brace_that_closes_nothing_is_still_one() -> None:
    (finding,) = errors(whole(encoder="encoder { conv 8 s2 relu } }"))
    assert "closes nothing" in finding.message


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


@pytest.mark.parametrize(
    ("lines", "other"),
    [
        ("bottleneck dense 8 decoder mirror", "; decoder mirror"),
        ("bottleneck decoder mirror", "bottleneck; decoder mirror"),
        ("bottleneck conv 2 decoder { upsample 2; conv 1 sigmoid }", "conv 2; decoder {"),
    ],
)
def test_statements_on_one_line_are_read_after_one_finding(lines: str, other: str) -> None:
    text = whole(bottleneck=lines, decoder="")
    (finding,) = errors(text)
    assert finding.fix is not None
    fixed = apply_edits(text, finding.fix.edits)
    assert other in fixed and not errors(fixed)


def test_a_second_first_line_is_one_finding_and_the_rest_is_read() -> None:
    (finding,) = errors(whole(input="autoencoder b\ninput 1x16x16"))
    assert finding.name == "duplicate-statement"
