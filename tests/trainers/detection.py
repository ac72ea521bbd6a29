"""RT-DETR on `image_id`, `image` and `objects`: `python -m tests.trainers.detection`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from transformers import RTDetrConfig, RTDetrForObjectDetection, RTDetrResNetConfig

from tests.trainers.training import SIDE, Batch, Recipe, image_processor, main, stacked

PROCESSOR = image_processor("RTDetr", size={"height": SIDE, "width": SIDE})


def class_names(rows: Any) -> Sequence[str]:
    """Of the ids in `objects`, which has no background. `datasets` before 4 calls a dict of lists a Sequence."""
    objects = rows.features["objects"]
    if isinstance(objects, dict):
        return objects["category"].feature.names
    return objects.feature["category"].names


def network(names: Sequence[str]) -> RTDetrForObjectDetection:
    """An RT-DETR of 0.3 M parameters on a small ResNet."""
    resnet = RTDetrResNetConfig(
        embedding_size=16,
        hidden_sizes=[16, 24, 32, 48],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = RTDetrConfig(
        backbone_config=resnet,
        encoder_in_channels=[24, 32, 48],
        encoder_hidden_dim=32,
        encoder_ffn_dim=64,
        encoder_attention_heads=4,
        d_model=32,
        decoder_in_channels=[32, 32, 32],
        decoder_ffn_dim=64,
        decoder_layers=2,
        decoder_attention_heads=4,
        num_queries=20,
        num_denoising=10,
        id2label=dict(enumerate(names)),
    )
    return RTDetrForObjectDetection(config)


def as_coco(image_id: int, objects: Mapping[str, list[Any]]) -> dict[str, Any]:
    """One picture's objects as COCO's JSON has them, which is what image processors of detectors take."""
    things = zip(objects["category"], objects["area"], objects["bbox"], strict=True)
    return {
        "image_id": image_id,
        "annotations": [
            {"image_id": image_id, "category_id": category, "area": area, "bbox": bbox, "iscrowd": 0}
            for category, area, bbox in things
        ],
    }


def inputs(rows: Batch) -> Batch:
    """Pictures float [3 h w]; labels hold class_labels [n] and boxes [n 4], centre and size in 0..1."""
    annotations = [as_coco(*row) for row in zip(rows["image_id"], rows["objects"], strict=True)]
    made = PROCESSOR(rows["image"], annotations=annotations, return_tensors="pt")
    return {"pixel_values": made["pixel_values"], "labels": made["labels"]}


DETECTION = Recipe(
    task="detection",
    dataset="dataset_dm/coco_synth",
    config="instance",
    class_names=class_names,
    network=network,
    inputs=inputs,
    collate=lambda rows: {**stacked(rows, "pixel_values"), "labels": [dict(row["labels"]) for row in rows]},
)

if __name__ == "__main__":
    main(DETECTION)
