"""Images to measure on: renders in order, generated images of default prompts and of plans."""

import numpy as np

from dataset_dm.diffusion import Backbone, SamplerConfig
from dataset_dm.evaluation import sources
from dataset_dm.labels.vocabulary import VOC_CLASSES
from dataset_dm.miniature.world import labelled


def test_renders_are_the_test_split_in_order() -> None:
    batches = list(sources.renders(5, 2))
    assert [len(batch.inputs) for batch in batches] == [2, 2, 1]
    scene, rendering = labelled("test", 3)
    assert np.array_equal(batches[1].inputs.images[1].numpy(), rendering.image)
    assert np.array_equal(batches[1].truth[1], rendering.class_map)
    assert np.array_equal(batches[1].clean[1], rendering.clean)
    assert batches[1].inputs.prompts[1] == scene.captions[0]
    assert batches[1].inputs.named[1] == sorted({body.class_id - 1 for body in scene.bodies})


def test_drawn_asks_for_what_the_prompt_names(backbone: Backbone) -> None:
    first, second = sources.drawn(backbone, 3, 2, sampler=SamplerConfig(steps=1, guidance=0.0))
    assert len(first) == 2 and len(second) == 1
    for prompt, named in zip([*first.prompts, *second.prompts], [*first.named, *second.named], strict=True):
        assert [VOC_CLASSES[i] for i in named] and len(named) in (1, 2), prompt
    assert len({*first.seeds, *second.seeds}) == 3
